import { corruptEntry, hostileEntry, joinPath } from '../../layer/byte-path.ts';
import type { BytePath, EntryMetadata, LayerEntry } from '../../layer/layer-change.ts';
import type { MergedTree } from '../../layer/merge/merged-tree.ts';
import { LowerNeeded } from '../lower-needed.ts';

/** What a layer's own tree has under one name. */
export type OwnNode = FolderNode | LeafNode | WhiteoutNode;

/** A name that the layers below have no more. */
export interface WhiteoutNode {
  readonly type: 'whiteout';
}

/** Anything but a folder. Hard links of one file share one node. */
export interface LeafNode {
  readonly type: 'file' | 'symlink' | 'special';
  /** Of a symlink. */
  readonly target?: string | undefined;
  /** Present where something is left to be done in the end: an exact time, xattrs, a node that Node cannot make. */
  readonly entry?: LayerEntry | undefined;
  /** False for what the batch in the end makes. */
  readonly isMade: boolean;
}

/** What a folder is like, wherever it is. */
export type FolderMetadata = Omit<EntryMetadata, 'path'>;

/** A folder of the layer, at its real path: no symlink is on the way. */
export interface FolderNode {
  readonly type: 'folder';
  readonly path: BytePath;
  readonly parent: FolderNode | undefined;
  readonly children: Map<string, OwnNode>;
  metadata: FolderMetadata;
  /** The tar has an entry for it; else it is there because something below it is. */
  isListed: boolean;
  /** The layer hides all that layers below have in it. */
  isOpaque: boolean;
  /** Whether the layers below have no folder here that would be seen; undefined while nobody has asked. */
  isNew: boolean | undefined;
}

/** All whiteouts are one. */
export const WHITEOUT: WhiteoutNode = { type: 'whiteout' };
/** A regular file of which nothing is left to be done in the end. */
export const PLAIN_FILE: LeafNode = { type: 'file', isMade: true };

/** For a folder that no layer lists: a fixed time, so that the same layers always give the same tree. */
const UNLISTED_FOLDER: FolderMetadata = {
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
};

const MAX_SYMLINKS = 40;

/**
 * A layer's own tree in memory, by which all paths of its tar are resolved: never by what the file system says.
 * A parent that the tar does not list is taken from the layers below, with its owner and mode, or is made anew;
 * one that is a symlink is followed, inside the root.
 */
export class LayerTree {
  readonly root: FolderNode;
  /** The layer's meaning depends on the layers below it. */
  leans = false;
  readonly #lower: MergedTree | undefined;
  readonly #onUnlisted: (folder: FolderNode) => void;
  /** The folder of the last path: entries of one folder mostly follow each other. */
  #lastFolder: FolderNode;

  /**
   * `lower`: absent while it is not known whether it is needed; `bottom` where there are no layers below, so that
   * nothing has an effect that the layer says of them. `onUnlisted` is called for each folder that comes to be without
   * an entry.
   */
  constructor(lower: MergedTree | 'bottom' | undefined, onUnlisted: (folder: FolderNode) => void) {
    this.#lower = lower === 'bottom' ? undefined : lower;
    this.#onUnlisted = onUnlisted;
    this.root = newFolder('', undefined, UNLISTED_FOLDER);
    if (lower === 'bottom') this.root.isNew = true;
    this.#lastFolder = this.root;
  }

  /**
   * The folder `path`, with symlinks followed, made where it is missing. Throws `corrupt` where a parent is a file,
   * `hostile` on a symlink loop.
   */
  folderAt(path: BytePath): FolderNode {
    if (path === this.#lastFolder.path) return this.#lastFolder;
    const folder = this.#walk(path, true);
    if (folder === undefined || folder === 'file') throw corruptEntry(path, 'has a parent that is a file');
    // A way through symlinks is not kept, since a later entry can change it.
    if (folder.path === path) this.#lastFolder = folder;
    return folder;
  }

  /**
   * The same for what only removes things: undefined where there is no such folder, here or below; `file` where the layer
   * itself has put a file on the way.
   */
  findFolder(path: BytePath): FolderNode | 'file' | undefined {
    return path === this.#lastFolder.path ? this.#lastFolder : this.#walk(path, false);
  }

  /** Puts `node` under a name that is free or has something else than a folder. */
  set(folder: FolderNode, name: string, node: OwnNode): void {
    folder.children.set(name, node);
  }

  /** Takes a name from the tree, with all that is below it. */
  remove(folder: FolderNode, name: string): void {
    this.#lastFolder = this.root;
    folder.children.delete(name);
  }

  addFolder(parent: FolderNode, name: string, metadata: FolderMetadata): FolderNode {
    const folder = newFolder(joinPath(parent.path, name), parent, metadata);
    this.set(parent, name, folder);
    return folder;
  }

  /** What the layers below show under a name in the real folder `folder`. Throws LowerNeeded. */
  below(folder: FolderNode, name: string): ReturnType<MergedTree['lookup']> {
    if (this.isHidden(folder)) return undefined;
    this.leans = true;
    if (this.#lower === undefined) throw new LowerNeeded();
    return this.#isFolderBelow(folder, this.#lower)
      ? lookup(this.#lower, joinPath(folder.path, name))
      : undefined;
  }

  /** Asked from the root on, so that no lookup comes by a symlink of the layers below which this layer has replaced. */
  #isFolderBelow(folder: FolderNode, lower: MergedTree): boolean {
    const { parent, path } = folder;
    if (folder.isNew === undefined && parent !== undefined) {
      const found = this.#isFolderBelow(parent, lower) ? lookup(lower, path) : undefined;
      folder.isNew = found === undefined || (found.entry !== undefined && found.entry.type !== 'directory');
    }
    return !folder.isNew;
  }

  /** Whether nothing of the layers below shows in this folder. */
  isHidden(folder: FolderNode): boolean {
    for (let at: FolderNode | undefined = folder; at !== undefined; at = at.parent) {
      if (at.isOpaque) return true;
      if (at.isNew) {
        // That nothing is there is so in this stack.
        this.leans = true;
        return true;
      }
    }
    return false;
  }

  #walk(path: BytePath, makes: boolean): FolderNode | 'file' | undefined {
    let folder = this.root;
    let symlinks = 0;
    const parts = path === '' ? [] : path.split('/').reverse();
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      if (part === '' || part === '.') continue;
      if (part === '..') {
        folder = folder.parent ?? this.root;
        continue;
      }
      const step = this.#step(folder, part, makes);
      if (step === 'missing') return undefined;
      if (step === 'file') return 'file';
      if ('children' in step) {
        folder = step;
        continue;
      }
      symlinks++;
      if (symlinks > MAX_SYMLINKS) throw hostileEntry(path, 'lies behind too many symlinks');
      if (step.target.startsWith('/')) folder = this.root;
      parts.push(...step.target.split('/').reverse());
    }
    return folder;
  }

  /** What stands under a name on the way of a path; a folder that is not listed comes to be, if it may. */
  #step(folder: FolderNode, name: string, makes: boolean): Step {
    const node = folder.children.get(name);
    if (node === undefined) return this.#unlisted(folder, name, makes);
    if (node.type === 'folder') return node;
    if (node.type === 'symlink') return { target: node.target! };
    if (node.type !== 'whiteout') return 'file';
    if (!makes) return 'missing';
    const fresh = this.addFolder(folder, name, UNLISTED_FOLDER);
    fresh.isOpaque = true;
    this.#onUnlisted(fresh);
    return fresh;
  }

  #unlisted(folder: FolderNode, name: string, makes: boolean): Step {
    const isHidden = this.isHidden(folder);
    const below = isHidden ? undefined : this.below(folder, name);
    if (below === undefined && !makes) return 'missing';
    const entry = below?.entry;
    if (entry?.type === 'symlink') return { target: entry.target };
    if (entry !== undefined && entry.type !== 'directory') return makes ? 'file' : 'missing';
    const made = this.addFolder(folder, name, entry ?? UNLISTED_FOLDER);
    if (!isHidden) made.isNew = below === undefined;
    this.#onUnlisted(made);
    return made;
  }
}

type Step = FolderNode | { readonly target: string } | 'file' | 'missing';

function lookup(lower: MergedTree, path: BytePath): ReturnType<MergedTree['lookup']> {
  return lower.lookup(path, { followLast: false });
}

function newFolder(path: BytePath, parent: FolderNode | undefined, metadata: FolderMetadata): FolderNode {
  return {
    type: 'folder',
    path,
    parent,
    children: new Map(),
    metadata,
    isListed: false,
    isOpaque: false,
    isNew: undefined,
  };
}

/** A folder's children and theirs, and after them the folder itself; the root last. */
export function* walkUp(folder: FolderNode): Generator<[path: BytePath, node: OwnNode]> {
  for (const [name, node] of folder.children) {
    if (node.type === 'folder') yield* walkUp(node);
    else yield [joinPath(folder.path, name), node];
  }
  yield [folder.path, folder];
}
