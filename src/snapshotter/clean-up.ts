import { existsSync, lstatSync, readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { removeAbandoned } from '../system/file/abandoned.ts';
import { removeTrees } from '../system/file/remove-tree.ts';
import { lockFile } from '../system/task/lock.ts';
import { removeMarks } from './folder-form/overlay-marks.ts';
import type { SnapshotterParts } from './snapshotter-parts.ts';

/** Snapshotter.cleanup. What another process is unpacking is left alone: it holds that layer's lock. */
export async function cleanUp(parts: SnapshotterParts): Promise<void> {
  const { snapshots } = parts;
  snapshots.make();
  for (const hex of readdirSync(snapshots.staging)) {
    await using lock = await lockFile(snapshots.lock(hex), { mode: 'exclusive', waitMs: 0 });
    if (lock !== undefined) await removeTrees([join(snapshots.staging, hex)]);
  }
  for (const folder of parts.metadata.withoutRecord()) await snapshots.discard(folder);
  await removeTrees(readdirSync(snapshots.trash).map((name) => join(snapshots.trash, name)));
  await removeAbandoned(snapshots.folder);
  removeDeadLinks(join(snapshots.folder, 'l'));
  await removeMarks(parts);
  await parts.metadata.sync();
}

/** A link is made before its layer has its name: only old ones are surely dead. */
function removeDeadLinks(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const isYoung = Date.now() - lstatSync(path).mtimeMs < 3_600_000;
    if (!isYoung && !existsSync(path)) unlinkSync(path);
  }
}
