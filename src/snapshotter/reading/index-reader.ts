import { OcitsError } from '../../errors.ts';
import { joinPath, showPath } from '../../layer/byte-path.ts';
import { openIndexStore } from '../../layer/index/index-store.ts';
import type { LayerIndex } from '../../layer/index/layer-index.ts';
import type { BytePath, LayerEntry } from '../../layer/layer-change.ts';
import { type MergedTree, mergeIndexes } from '../../layer/merge/merged-tree.ts';
import type { Digest } from '../../oci/digest.ts';
import { FILE_TYPES } from '../../system/file/file-types.ts';
import type { RootFolder } from '../records/layer-record.ts';
import type { LayerFile } from '../snapshotter.ts';
import type { LayerPlace, LayerReader, PlaceContent, PlaceStat } from './layer-place.ts';

/** Layers, lowest first, that are read by their indexes. */
export interface IndexPlaces {
  readonly indexes: readonly Digest[];
  /** `$OCITS_ROOT`. */
  readonly storeRoot: string;
  /** What the root folder of the stack is. */
  readonly root: RootFolder;
}

/** Opens the content of a regular file; `layer` is a position in the stack, from the lowest, 0. */
export type OpenContent = (layer: number, path: BytePath) => LayerFile | Promise<LayerFile>;

/** Reads the layers of a stack as one, by their indexes: for layers that are no folders. Throws `not-found`. */
export async function openIndexes(places: IndexPlaces, open: OpenContent): Promise<LayerReader> {
  const indexes = await loadIndexes(places.storeRoot, places.indexes);
  return new IndexReader(mergeIndexes(indexes), places.root, open);
}

/** The indexes of layers, in order. Throws `not-found`. */
export async function loadIndexes(storeRoot: string, diffIds: readonly Digest[]): Promise<LayerIndex[]> {
  const store = openIndexStore(storeRoot);
  const indexes: LayerIndex[] = [];
  for (const diffId of diffIds) {
    const index = await store.get(diffId);
    if (index === undefined) {
      throw new OcitsError('not-found', `there is no index of the layer ${diffId}, on which another leans`, {
        hint: 'remove the image and pull it again',
      });
    }
    indexes.push(index);
  }
  return indexes;
}

class IndexReader implements LayerReader {
  readonly #tree: MergedTree;
  readonly #root: RootFolder;
  readonly #open: OpenContent;

  constructor(tree: MergedTree, root: RootFolder, open: OpenContent) {
    this.#tree = tree;
    this.#root = root;
    this.#open = open;
  }

  root(): LayerPlace {
    const { mode, uid, gid } = this.#root;
    return this.#folder('', { mode: FILE_TYPES.directory | mode, uid, gid, mtimeMs: 0 });
  }

  [Symbol.dispose](): void {}

  #find(path: BytePath): LayerPlace | undefined {
    const found = this.#tree.lookup(path, { followLast: false });
    if (found === undefined) return undefined;
    const { entry, layer } = found;
    const stat = statOf(entry);
    if (entry === undefined || entry.type === 'directory') return this.#folder(path, stat);
    const target = entry.type === 'symlink' ? entry.target : undefined;
    return {
      stat,
      target,
      isWhiteout: false,
      find: () => undefined,
      isOpaque: () => false,
      open: () => this.#content(entry, layer),
    };
  }

  #folder(path: BytePath, stat: PlaceStat): LayerPlace {
    return {
      stat,
      isWhiteout: false,
      find: (name) => this.#find(joinPath(path, name)),
      isOpaque: () => false,
      open: () => this.#content(undefined, 0),
    };
  }

  async #content(entry: LayerEntry | undefined, layer: number): Promise<PlaceContent> {
    if (entry?.type === 'file') {
      return { ...(await this.#open(layer, entry.path)), sizeBytes: entry.sizeBytes };
    }
    throw new OcitsError('internal', `${showPath(entry?.path ?? '')} was opened and is no file`);
  }
}

/** Of a folder that no layer lists, and of anything else. */
function statOf(entry: LayerEntry | undefined): PlaceStat {
  if (entry === undefined) return { mode: FILE_TYPES.directory | 0o755, uid: 0, gid: 0, mtimeMs: 0 };
  const { mode, uid, gid, mtime } = entry;
  // What a merged tree shows is never a hard link, but the file that it names.
  const type = entry.type === 'hardlink' ? FILE_TYPES.file : FILE_TYPES[entry.type];
  return { mode: type | mode, uid, gid, mtimeMs: mtime.seconds * 1000 + mtime.nanoseconds / 1e6 };
}
