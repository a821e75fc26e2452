import { baseName, joinPath, parentPath } from '../../layer/byte-path.ts';
import type { BytePath, LayerEntry } from '../../layer/layer-change.ts';
import type { LayerFolder } from './layer-folder.ts';
import { type FolderNode, type LayerTree, PLAIN_FILE, walkUp } from './layer-tree.ts';
import type { TrueIndex } from './true-index.ts';

/** What a layer's folder is made with. */
export interface LayerParts {
  readonly tree: LayerTree;
  readonly folder: LayerFolder;
  readonly index: TrueIndex;
  /** The folders with the trees of the layers below, lowest first. */
  readonly lowerFolders: readonly string[];
  readonly onWarning: (kind: string, path: BytePath) => void;
}

/** Where an entry goes: its real folder and path, and the name in that folder. */
export interface Place {
  readonly parent: FolderNode;
  readonly name: string;
  readonly path: BytePath;
}

/** The place of a path, whose parents come to be where they are missing. */
export function placeOf(tree: LayerTree, path: BytePath): Place {
  const parent = tree.folderAt(parentPath(path));
  const name = baseName(path);
  return { parent, name, path: joinPath(parent.path, name) };
}

/** Makes room: a later entry of a name wins. */
export function clearPlace({ folder, index, tree }: LayerParts, { parent, name, path }: Place): void {
  const existing = parent.children.get(name);
  if (existing === undefined) return;
  if (existing.type === 'folder') for (const [below] of walkUp(existing)) index.drop(below);
  folder.remove(path, existing);
  tree.remove(parent, name);
}

/** Puts anything but a folder into the tree, and makes what is neither a file nor left to the batch in the end. */
export function putLeaf(
  { tree, folder }: LayerParts,
  { parent, name }: Place,
  entry: Exclude<LayerEntry, { type: 'directory' | 'hardlink' }>,
): void {
  const isExact = entry.mtime.nanoseconds !== 0;
  const isDone = !isExact && entry.xattrs === undefined;
  if (entry.type === 'file') {
    tree.set(parent, name, isDone ? PLAIN_FILE : { type: 'file', isMade: true, entry });
  } else if (entry.type === 'symlink') {
    const rest = isDone ? undefined : entry;
    tree.set(parent, name, { type: 'symlink', target: entry.target, isMade: !isExact, entry: rest });
    if (!isExact) folder.makeSymlink(entry);
  } else {
    tree.set(parent, name, { type: 'special', isMade: false, entry });
  }
}
