import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readXattrs, removeXattr } from '../../system/file/xattrs.ts';
import { isOverlayXattr, opaqueXattr } from '../overlayfs/overlay-xattrs.ts';
import type { SnapshotterParts } from '../snapshotter-parts.ts';

const CLEAN = 'clean';

/**
 * Takes overlayfs's marks (`origin`, `impure`, `uuid`, …) out of layers that were an upper one once. They mean nothing
 * in a lower layer, so there is no hurry; opaque marks stay.
 */
export async function removeMarks({ snapshots, metadata, userXattrs }: SnapshotterParts): Promise<void> {
  for (const { key, wasUpper } of metadata.list()) {
    const note = join(snapshots.layer(key), CLEAN);
    if (!wasUpper || existsSync(note)) continue;
    await removeFrom(snapshots.tree(key), opaqueXattr(userXattrs));
    writeFileSync(note, '', { mode: 0o600 });
  }
}

async function removeFrom(tree: string, opaque: string): Promise<void> {
  const marked = new Map<string, string[]>();
  await readXattrs(tree, ({ path, xattrs }) => {
    for (const name of xattrs.keys()) {
      if (!isOverlayXattr(name) || name === opaque) continue;
      const paths = marked.get(name) ?? [];
      paths.push(path);
      marked.set(name, paths);
    }
  });
  for (const [name, paths] of marked) await removeXattr(tree, name, paths);
}
