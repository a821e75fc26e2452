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
import type { LayerVisitor } from '../../layer/layer-visitor.ts';
import { clearPlace, type LayerParts, type Place, placeOf, putLeaf } from './entry-place.ts';
import { isForbiddenDevice, withoutOverlayXattrs } from './forbidden-entries.ts';
import type { OpenFile } from './layer-folder.ts';
import type { FolderNode, LeafNode } from './layer-tree.ts';
import { LowerCopies } from './lower-copies.ts';

/** Turns the changes of a layer into files of its folder, as they come. */
export class ApplyVisitor implements LayerVisitor, Disposable {
  entries = 0;
  readonly #parts: LayerParts;
  readonly #copies: LowerCopies;
  #sizeBytes = 0;
  #open: OpenFile | undefined;

  constructor(parts: LayerParts) {
    this.#parts = parts;
    this.#copies = new LowerCopies(parts);
  }

  /** Of regular files, each counted once. */
  get sizeBytes(): number {
    return this.#sizeBytes + this.#copies.sizeBytes;
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
    const place = placeOf(this.#parts.tree, listed.path);
    const entry = place.path === listed.path ? listed : { ...listed, path: place.path };
    this.#clear(place);
    this.#parts.index.add(entry);
    putLeaf(this.#parts, place, entry);
    if (entry.type !== 'file') return;
    this.#open = this.#parts.folder.createFile(entry);
    this.#sizeBytes += entry.sizeBytes;
  }

  #directory(listed: DirectoryEntry): void {
    const { tree, folder, index } = this.#parts;
    if (listed.path === '') {
      list(tree.root, listed);
      index.add(listed);
      return;
    }
    const place = placeOf(tree, listed.path);
    const entry = place.path === listed.path ? listed : { ...listed, path: place.path };
    const existing = place.parent.children.get(place.name);
    if (existing?.type === 'folder') {
      index.add(entry);
      folder.changeMode(place.path, existing.metadata.mode);
      list(existing, entry);
      return;
    }
    this.#clear(place);
    index.add(entry);
    folder.makeFolder(place.path, entry.mode);
    const made = tree.addFolder(place.parent, place.name, entry);
    list(made, entry);
    if (existing === undefined) return;
    // What stood here before has hidden the folder below.
    made.isOpaque = true;
    index.add({ type: 'opaque', path: place.path });
  }

  #hardlink(listed: HardlinkEntry): void {
    const { folder, index, tree } = this.#parts;
    const target = placeOf(tree, listed.target);
    const place = placeOf(tree, listed.path);
    if (target.path === place.path) throw corruptEntry(listed.path, 'is a hard link to itself');
    if (target.path.startsWith(`${place.path}/`)) {
      throw corruptEntry(listed.path, 'is a hard link to what it replaces');
    }
    this.#clear(place);
    index.add({ ...listed, path: place.path, target: target.path });
    const node = this.#linkTarget(target, listed.path);
    tree.set(place.parent, place.name, node);
    if (node.isMade) folder.makeLink(target.path, place.path);
  }

  /** The node that a hard link names. */
  #linkTarget(target: Place, link: BytePath): LeafNode {
    const node = target.parent.children.get(target.name);
    if (node === undefined) return this.#copies.add(target, link);
    if (node.type === 'folder') throw corruptEntry(link, 'is a hard link to a folder');
    if (node.type === 'whiteout') throw corruptEntry(link, 'is a hard link to a file that is not there');
    return node;
  }

  #whiteout(listed: Whiteout): void {
    const { tree, index } = this.#parts;
    const parent = tree.findFolder(parentPath(listed.path));
    if (parent === 'file') throw corruptEntry(listed.path, 'has a parent that is a file');
    if (parent === undefined) return;
    const name = baseName(listed.path);
    index.add({ type: 'whiteout', path: joinPath(parent.path, name) });
    const existing = parent.children.get(name);
    // A whiteout concerns the layers below, never what this layer has itself.
    const isOwn =
      existing?.type === 'folder'
        ? !this.#copies.hideBelow(existing)
        : existing !== undefined && !this.#copies.has(parent, name);
    if (!isOwn) this.#copies.replace(parent, name, existing);
    else if (existing?.type === 'folder') existing.isOpaque = true;
  }

  #opaque(listed: OpaqueMarker): void {
    const { tree, index } = this.#parts;
    const folder = tree.findFolder(listed.path);
    // Docker gives the file an attribute that says nothing there.
    if (folder === undefined || folder === 'file') return;
    // A folder that is hidden no longer says what this folder is like.
    if (!folder.isListed && folder.path !== '') {
      index.add({ type: 'directory', path: folder.path, ...folder.metadata });
    }
    index.add({ type: 'opaque', path: folder.path });
    folder.isOpaque = true;
    this.#copies.hideBelow(folder);
  }

  #clear(place: Place): void {
    clearPlace(this.#parts, place);
    this.#copies.forget(place.path);
  }
}

function list(folder: FolderNode, entry: DirectoryEntry): void {
  folder.isListed = true;
  folder.metadata = entry;
}
