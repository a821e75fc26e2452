import { OcitsError } from '../../errors.ts';
import { showPath } from '../../layer/byte-path.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { FILE_TYPES, S_IFMT } from '../../system/file/file-types.ts';
import { FolderReader } from '../reading/folder-reader.ts';
import type { LayerFile } from '../snapshotter.ts';

/** Opens a regular file of one layer's tree, to which only that layer's own folders lead. Throws `not-found`. */
export function openLayerFile(tree: string, path: BytePath): LayerFile {
  using reader = new FolderReader(tree, new Set());
  let place = reader.root();
  const parts = path.split('/');
  for (const [position, part] of parts.entries()) {
    const isClean = part !== '' && part !== '.' && part !== '..';
    const next = isClean ? place.find(part) : undefined;
    const wanted = position === parts.length - 1 ? FILE_TYPES.file : FILE_TYPES.directory;
    if (next === undefined || (next.stat.mode & S_IFMT) !== wanted) {
      throw new OcitsError('not-found', `the layer has no regular file ${showPath(path)}`);
    }
    place = next;
  }
  return place.open();
}
