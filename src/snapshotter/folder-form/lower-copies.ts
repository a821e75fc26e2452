import { corruptEntry, joinPath } from '../../layer/byte-path.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { nativePath } from '../../system/file/byte-name.ts';
import { type LayerParts, type Place, putLeaf } from './entry-place.ts';
import { withoutOverlayXattrs } from './forbidden-entries.ts';
import { type FolderNode, type LeafNode, type OwnNode, WHITEOUT } from './layer-tree.ts';

/**
 * Files of layers below that this layer has hard links to: they are copied up, so that all names have one inode. The
 * copy at the old name is not the layer's own, and goes with what a whiteout removes.
 */
export class LowerCopies {
  readonly #parts: LayerParts;
  readonly #paths = new Set<BytePath>();
  /** Of regular files. */
  sizeBytes = 0;

  constructor(parts: LayerParts) {
    this.#parts = parts;
  }

  /** Copies what the layers below have at `target`. Throws `corrupt`, naming the entry `link`, where that cannot be. */
  add(target: Place, link: BytePath): LeafNode {
    const { tree, folder, lowerFolders } = this.#parts;
    const found = tree.below(target.parent, target.name);
    const below = found?.entry;
    if (found === undefined || below === undefined || below.type === 'hardlink') {
      throw corruptEntry(link, 'is a hard link to a file that is not there');
    }
    if (below.type === 'directory') throw corruptEntry(link, 'is a hard link to a folder');
    const entry = withoutOverlayXattrs({ ...below, path: target.path });
    putLeaf(this.#parts, target, entry);
    this.#paths.add(target.path);
    if (entry.type === 'file') {
      const root = Buffer.from(lowerFolders[found.layer]!).toString('latin1');
      folder.copyFile(nativePath(`${root}/${below.path}`), entry);
      this.sizeBytes += entry.sizeBytes;
    }
    return target.parent.children.get(target.name) as LeafNode;
  }

  /**
   * Hides all that the layers below have in a folder. What is there only because of them goes: copies, whiteouts, and
   * folders that the layer does not list and that nothing else is in. True where that leaves nothing of the layer's own.
   */
  hideBelow(folder: FolderNode): boolean {
    for (const [name, node] of folder.children) {
      const isOwn =
        node.type === 'folder' ? !this.hideBelow(node) : node.type !== 'whiteout' && !this.has(folder, name);
      if (!isOwn) this.#remove(folder, name, node);
    }
    return folder.children.size === 0 && !folder.isListed;
  }

  /** Whether a copy stands under a name. */
  has(parent: FolderNode, name: string): boolean {
    return this.#paths.has(joinPath(parent.path, name));
  }

  #remove(parent: FolderNode, name: string, node: OwnNode): void {
    const path = joinPath(parent.path, name);
    this.#paths.delete(path);
    if (node.type === 'folder') this.#parts.index.drop(path);
    this.#parts.folder.remove(path, node);
    this.#parts.tree.remove(parent, name);
  }

  /** Puts a whiteout in the place of what is no longer the layer's own. */
  replace(parent: FolderNode, name: string, node: OwnNode | undefined): void {
    const { tree } = this.#parts;
    if (node !== undefined) this.#remove(parent, name, node);
    // Where nothing lies below, a whiteout would be seen in the folder's list.
    if (!tree.isHidden(parent)) tree.set(parent, name, WHITEOUT);
  }

  /** Notes that an entry of the layer's own stands at `path` now. */
  forget(path: BytePath): void {
    this.#paths.delete(path);
  }
}
