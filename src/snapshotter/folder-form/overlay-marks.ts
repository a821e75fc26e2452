import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Digest } from '../../oci/digest.ts';
import { readXattrs, removeXattr } from '../../system/file/xattrs.ts';
import { isOverlayXattr } from '../overlayfs/overlay-xattrs.ts';
import type { LayerRecord } from '../records/layer-record.ts';

const CLEAN = 'clean';

/**
 * Takes overlayfs's marks (`origin`, `impure`, `uuid`, …) out of layers that were an upper one once. They mean nothing
 * in a lower layer, so there is no hurry; opaque marks stay.
 */
export async function removeMarks(
  layers: Iterable<LayerRecord>,
  { opaque, treeOf }: { readonly opaque: string; readonly treeOf: (key: Digest) => string },
): Promise<void> {
  for (const { key, wasUpper } of layers) {
    const tree = treeOf(key);
    const note = join(dirname(tree), CLEAN);
    if (!wasUpper || existsSync(note)) continue;
    await removeFrom(tree, opaque);
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
