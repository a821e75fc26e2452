import { existsSync, lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { removeAbandoned } from '../system/file/abandoned.ts';
import { removeTrees } from '../system/file/remove-tree.ts';
import { lockFile } from '../system/task/lock.ts';
import { removeMarks } from './folder-form/overlay-marks.ts';
import type { OverlayHost } from './overlay-host.ts';

/** Snapshotter.cleanup. What another process is unpacking is left alone: it holds that layer's lock. */
export async function cleanUp(host: OverlayHost): Promise<void> {
  const { area } = host;
  area.make();
  for (const hex of readdirSync(area.staging)) {
    await using lock = await lockFile(area.lock(hex), { mode: 'exclusive', waitMs: 0 });
    if (lock !== undefined) await removeTrees([join(area.staging, hex)]);
  }
  for (const folder of host.shelf.withoutRecord()) await area.discard(folder);
  await removeTrees(readdirSync(area.trash).map((name) => join(area.trash, name)));
  await removeAbandoned(area.folder);
  removeDeadLinks(join(area.folder, 'l'));
  await removeMarks(host);
  await host.shelf.sync();
}

/** A link is made before its layer has its name: only old ones are surely dead. */
function removeDeadLinks(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const isYoung = Date.now() - lstatSync(path).mtimeMs < 3_600_000;
    if (!isYoung && !existsSync(path)) unlinkSync(path);
  }
}
