import { joinPath, parentPath } from '../byte-path.ts';
import type { LayerIndex } from '../index/layer-index.ts';
import type { BytePath, HardlinkEntry, LayerEntry } from '../layer-change.ts';

/** A name as a stack shows it: which layer's entry it is, and for a folder, which layers are seen in it. */
export interface Node {
  readonly path: BytePath;
  readonly isFolder: boolean;
  /** The layer whose entry it is; for a folder that no layer lists, the highest one that has something in it. */
  readonly layer: number;
  /** Of the entry in that layer's index; -1 for a folder that no layer lists. */
  readonly position: number;
  /** For a folder: the lowest layer that is seen in it. */
  readonly floor: number;
}

/** Finds nodes by real path: no symlink is followed. */
export interface NodeFinder {
  find(path: BytePath): Node | undefined;
  /** Sorted by bytes. */
  children(path: BytePath): Node[];
}

/** Nodes are kept once they are found. */
export function createNodeFinder(indexes: readonly LayerIndex[]): NodeFinder {
  const known = new Map<BytePath, Node | undefined>();
  const find = (path: BytePath): Node | undefined => {
    if (known.has(path)) return known.get(path);
    const parent = path === '' ? ROOT_PARENT : find(parentPath(path));
    const node = parent?.isFolder ? nodeIn(indexes, parent.floor, path) : undefined;
    known.set(path, node);
    return node;
  };
  return {
    find,
    children(path) {
      const folder = find(path);
      if (!folder?.isFolder) return [];
      const names = new Set<string>();
      for (const index of indexes.slice(folder.floor))
        for (const name of index.namesIn(path)) names.add(name);
      return [...names].sort(byBytes).flatMap((name) => find(joinPath(path, name)) ?? []);
    },
  };
}

const ROOT_PARENT = { isFolder: true, floor: 0 };

function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The node at `path`, in whose folder the layers from `floor` on are seen: searched from the highest layer down. */
function nodeIn(indexes: readonly LayerIndex[], floor: number, path: BytePath): Node | undefined {
  let folder: Node | undefined =
    path === '' ? { path, isFolder: true, layer: 0, position: -1, floor } : undefined;
  for (let layer = indexes.length - 1; layer >= floor; layer--) {
    const index = indexes[layer]!;
    const position = index.find(path);
    const isOpaque = index.isOpaque(path);
    const isPlain = position >= 0 && index.typeAt(position) !== 'directory';
    if (isPlain) {
      // A folder above hides what it replaced, and all that lies below that.
      if (folder !== undefined) return { ...folder, floor: layer + 1 };
      return { path, isFolder: false, layer, position, floor: layer };
    }
    if (position >= 0 || isOpaque || index.namesIn(path).length > 0)
      folder = addFolder(folder, path, layer, position);
    if (isOpaque || index.hasWhiteout(path))
      return folder === undefined ? undefined : { ...folder, floor: layer };
  }
  return folder === undefined ? undefined : { ...folder, floor };
}

/** The highest layer that lists a folder says what it is like. */
function addFolder(above: Node | undefined, path: BytePath, layer: number, position: number): Node {
  if (above !== undefined && (above.position >= 0 || position < 0)) return above;
  return { path, isFolder: true, layer, position, floor: 0 };
}

/**
 * What a hard link of `layer` names: an entry of that layer's own, else of the layers below it. Undefined where there
 * is none, it is a folder, or links go in a circle.
 */
export function linkedEntry(
  indexes: readonly LayerIndex[],
  layer: number,
  link: HardlinkEntry,
): { entry: LayerEntry; layer: number } | undefined {
  const seen = new Set<string>();
  let top = layer;
  let { target } = link;
  while (!seen.has(`${top}:${target}`)) {
    seen.add(`${top}:${target}`);
    const own = indexes[top]!.find(target);
    const found =
      own >= 0 ? { layer: top, position: own } : createNodeFinder(indexes.slice(0, top)).find(target);
    if (found === undefined || found.position < 0) return undefined;
    const entry = indexes[found.layer]!.at(found.position) as LayerEntry;
    if (entry.type !== 'hardlink')
      return entry.type === 'directory' ? undefined : { entry, layer: found.layer };
    top = found.layer;
    target = entry.target;
  }
  return undefined;
}
