import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeAbandoned } from '../../system/file/abandoned.ts';
import { removeTrees } from '../../system/file/remove-tree.ts';
import { lockFile } from '../../system/task/lock.ts';
import { canTidy } from '../layer-form.ts';
import type { SnapshotterParts } from '../snapshotter-parts.ts';

/** What cleaning up does. What another process is unpacking is left alone: it holds that layer's lock. */
export async function cleanUp({ snapshots, metadata, form }: SnapshotterParts): Promise<void> {
  snapshots.make();
  for (const hex of readdirSync(snapshots.staging)) {
    await using lock = await lockFile(snapshots.lock(hex), { mode: 'exclusive', waitMs: 0 });
    if (lock !== undefined) await removeTrees([join(snapshots.staging, hex)]);
  }
  for (const folder of metadata.withoutRecord()) await snapshots.discard(folder);
  await removeTrees(readdirSync(snapshots.trash).map((name) => join(snapshots.trash, name)));
  await removeAbandoned(snapshots.folder);
  if (canTidy(form)) await form.tidy(metadata.list());
  await metadata.sync();
}
