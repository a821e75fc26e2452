import { closeSync } from 'node:fs';
import { baseName, corruptEntry, joinPath, parentPath } from '../../layer/byte-path.ts';
import type {
  BytePath,
  DirectoryEntry,
  FileEntry,
  HardlinkEntry,
  LayerChange,
  LayerEntry,
  OpaqueMarker,
  Whiteout,
} from '../../layer/layer-change.ts';
import type { LayerIndexBuilder } from '../../layer/layer-index.ts';
import type { LayerVisitor } from '../../layer/layer-visitor.ts';
import { nativePath } from '../../system/byte-name.ts';
import { isForbiddenDevice, withoutOverlayXattrs } from './forbidden.ts';
import type { LayerFolder, OpenFile } from './layer-folder.ts';
import { type FolderNode, type LayerTree, type LeafNode, PLAIN_FILE, WHITEOUT } from './layer-tree.ts';

export interface VisitorParts {
  readonly tree: LayerTree;
  readonly folder: LayerFolder;
  readonly index: LayerIndexBuilder;
  /** The folders with the trees of the layers below, lowest first. */
  readonly lowerFolders: readonly string[];
  readonly onWarning: (kind: string, path: BytePath) => void;
}

/** Where an entry goes: its real folder and path, and the name in that folder. */
interface Place {
  readonly parent: FolderNode;
  readonly name: string;
  readonly path: BytePath;
}

/** Turns the changes of a layer into files of its folder, as they come. */
export class ApplyVisitor implements LayerVisitor, Disposable {
  /** Of regular files, each counted once. */
  sizeBytes = 0;
  entries = 0;
  readonly #parts: VisitorParts;
  #open: OpenFile | undefined;

  constructor(parts: VisitorParts) {
    this.#parts = parts;
  }

  change(change: LayerChange): void {
    this.entries++;
    if (change.type === 'whiteout') this.#whiteout(change);
    else if (change.type === 'opaque') this.#opaque(change);
    else this.#entry(change);
  }

  data(chunk: Buffer, position: number): void {
    this.#parts.folder.write(this.#open!, chunk, position);
  }

  fileEnd(file: FileEntry): void {
    this.#parts.folder.finishFile(this.#open!, file);
    this.#open = undefined;
  }

  /** Closes the file that an error has left open. */
  [Symbol.dispose](): void {
    if (this.#open !== undefined) closeSync(this.#open.fd);
    this.#open = undefined;
  }

  #entry(listed: LayerEntry): void {
    const { onWarning } = this.#parts;
    if (isForbiddenDevice(listed)) {
      onWarning('a device 0:0, which overlayfs takes for a whiteout, was left out', listed.path);
      return;
    }
    const entry = withoutOverlayXattrs(listed, () =>
      onWarning('an extended attribute that overlayfs would obey was left out', listed.path),
    );
    if (entry.type === 'directory') this.#directory(entry);
    else if (entry.type === 'hardlink') this.#hardlink(entry);
    else this.#leaf(entry);
  }

  #leaf(listed: Exclude<LayerEntry, DirectoryEntry | HardlinkEntry>): void {
    const place = this.#place(listed.path);
    const entry = place.path === listed.path ? listed : { ...listed, path: place.path };
    this.#parts.index.add(entry);
    this.#clear(place);
    this.#make(place, entry);
    if (entry.type === 'file') {
      this.#open = this.#parts.folder.createFile(entry);
      this.sizeBytes += entry.sizeBytes;
    }
  }

  /** Puts anything but a folder into the tree, and makes it where that is more than creating a file. */
  #make(place: Place, entry: Exclude<LayerEntry, DirectoryEntry | HardlinkEntry>): void {
    const { tree, folder } = this.#parts;
    const isRest = entry.mtime.nanoseconds !== 0 || entry.xattrs !== undefined;
    if (entry.type === 'file') {
      tree.set(place.parent, place.name, isRest ? { type: 'file', isMade: true, entry } : PLAIN_FILE);
    } else if (entry.type === 'symlink') {
      const { target } = entry;
      const isMade = entry.mtime.nanoseconds === 0;
      tree.set(place.parent, place.name, { type: 'symlink', target, isMade, ...(isRest ? { entry } : {}) });
      if (isMade) folder.makeSymlink(entry);
    } else {
      tree.set(place.parent, place.name, { type: 'special', isMade: false, entry });
    }
  }

  #directory(listed: DirectoryEntry): void {
    const { tree, folder, index } = this.#parts;
    if (listed.path === '') {
      this.#list(tree.root, listed);
      index.add(listed);
      return;
    }
    const place = this.#place(listed.path);
    const entry = place.path === listed.path ? listed : { ...listed, path: place.path };
    index.add(entry);
    const existing = place.parent.children.get(place.name);
    if (existing?.type === 'folder') {
      folder.changeMode(place.path, existing.metadata.mode);
      this.#list(existing, entry);
      return;
    }
    if (existing !== undefined) folder.remove(place.path, existing);
    folder.makeFolder(place.path, entry.mode);
    const made = tree.addFolder(place.parent, place.name, entry);
    made.isOpaque = existing?.type === 'whiteout';
    this.#list(made, entry);
  }

  #list(folder: FolderNode, entry: DirectoryEntry): void {
    folder.isListed = true;
    folder.metadata = entry;
  }

  #hardlink(listed: HardlinkEntry): void {
    const { folder, index, tree } = this.#parts;
    const target = this.#place(listed.target);
    const place = this.#place(listed.path);
    if (target.path === place.path) throw corruptEntry(listed.path, 'is a hard link to itself');
    index.add({ ...listed, path: place.path, target: target.path });
    if (target.path.startsWith(`${place.path}/`))
      throw corruptEntry(listed.path, 'is a hard link to what it replaces');
    this.#clear(place);
    const node = this.#linkTarget(target, listed.path);
    tree.set(place.parent, place.name, node);
    if (node.isMade) folder.makeLink(target.path, place.path);
  }

  /** The node that a hard link names; a file of a layer below is copied up, so that both names have one inode. */
  #linkTarget(target: Place, link: BytePath): LeafNode {
    const node = target.parent.children.get(target.name);
    if (node === undefined) return this.#copyUp(target, link);
    if (node.type === 'folder') throw corruptEntry(link, 'is a hard link to a folder');
    if (node.type === 'whiteout') throw corruptEntry(link, 'is a hard link to a file that is not there');
    return node;
  }

  #copyUp(target: Place, link: BytePath): LeafNode {
    const { tree, folder, lowerFolders } = this.#parts;
    const found = tree.below(target.parent, target.name);
    const below = found?.entry;
    if (found === undefined || below === undefined || below.type === 'hardlink') {
      throw corruptEntry(link, 'is a hard link to a file that is not there');
    }
    if (below.type === 'directory') throw corruptEntry(link, 'is a hard link to a folder');
    const entry = withoutOverlayXattrs({ ...below, path: target.path });
    this.#make(target, entry);
    if (entry.type === 'file') {
      const root = Buffer.from(lowerFolders[found.layer]!).toString('latin1');
      folder.copyFile(nativePath(`${root}/${found.path}`), entry);
      this.sizeBytes += entry.sizeBytes;
    }
    return target.parent.children.get(target.name) as LeafNode;
  }

  #whiteout({ path: listed }: Whiteout): void {
    const { tree, index } = this.#parts;
    const { parent, name, path } = this.#place(listed);
    index.add({ type: 'whiteout', path });
    const existing = parent.children.get(name);
    // A whiteout concerns the layers below, never what this layer has itself. Where nothing lies below, it would be
    // seen in the folder's list.
    if (existing === undefined) {
      if (!tree.isHidden(parent)) tree.set(parent, name, WHITEOUT);
    } else if (existing.type === 'folder') existing.isOpaque = true;
  }

  #opaque({ path }: OpaqueMarker): void {
    const folder = this.#parts.tree.folderAt(path);
    this.#parts.index.add({ type: 'opaque', path: folder.path });
    folder.isOpaque = true;
  }

  #place(path: BytePath): Place {
    const parent = this.#parts.tree.folderAt(parentPath(path));
    const name = baseName(path);
    return { parent, name, path: joinPath(parent.path, name) };
  }

  /** Makes room: a later entry of a name wins. */
  #clear({ parent, name, path }: Place): void {
    const existing = parent.children.get(name);
    if (existing === undefined) return;
    this.#parts.folder.remove(path, existing);
    this.#parts.tree.remove(parent, name);
  }
}
