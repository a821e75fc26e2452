import { lstatSync } from 'node:fs';
import type { LayerIndex } from '../../layer/index/layer-index.ts';
import { nativePath } from '../../system/file/byte-name.ts';
import { FILE_TYPES, S_IFMT } from '../../system/file/file-types.ts';

/** Whether each entry of a layer is in its folder with its type and, for files, its size: what a crash before the write-back cuts. */
export function isCompleteFolder(tree: string, index: LayerIndex): boolean {
  const prefix = Buffer.from(tree).toString('latin1');
  for (let position = 0; position < index.count; position++) {
    const change = index.at(position);
    if (change.type === 'opaque' || change.type === 'whiteout') continue;
    if (index.find(change.path) !== position) continue;
    const stat = lstatSync(nativePath(`${prefix}/${change.path}`), { throwIfNoEntry: false });
    if (stat === undefined) return false;
    if (change.type === 'hardlink') continue;
    if ((stat.mode & S_IFMT) !== FILE_TYPES[change.type]) return false;
    if (change.type === 'file' && stat.size !== change.sizeBytes) return false;
  }
  return true;
}
