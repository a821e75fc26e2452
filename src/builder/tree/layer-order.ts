import { parentPath } from '../../layer/byte-path.ts';
import type { BytePath, LayerChange } from '../../layer/layer-change.ts';
import type { MergedTree } from '../../layer/merge/merged-tree.ts';

/**
 * Tells whether the changes of a layer mean what they list, one by one: each path is that of a real folder's child. A
 * layer may also list something below a symlink, take a folder away that it had before, or link to a file of the layers
 * below: what becomes of that is known once it is unpacked.
 */
export class LayerOrder {
  readonly #own = new Map<BytePath, 'folder' | 'other'>();
  readonly #whiteouts = new Set<BytePath>();
  /** Folders on the way that the layer does not list. */
  readonly #unlisted = new Set<BytePath>();
  #isOdd = false;

  note(change: LayerChange): void {
    const { type, path } = change;
    if (type === 'opaque') {
      this.#expectFolder(path);
      return;
    }
    if (path === '') return;
    this.#expectFolder(parentPath(path));
    if (type === 'whiteout') {
      this.#whiteouts.add(path);
      return;
    }
    const isFolder = type === 'directory';
    const wasFolder = this.#own.get(path) === 'folder' || this.#unlisted.has(path);
    if (!isFolder && wasFolder) this.#isOdd = true;
    if (type === 'hardlink' && this.#own.get(change.target) !== 'other') this.#isOdd = true;
    this.#own.set(path, isFolder ? 'folder' : 'other');
  }

  /** Whether the layer means what it lists, on what `lower` shows; asked once all changes are noted. */
  async isPlain(lower: () => Promise<MergedTree>): Promise<boolean> {
    if (this.#isOdd) return false;
    const asked = [...this.#unlisted].filter((path) => !this.#whiteouts.has(path));
    if (asked.length === 0) return true;
    const tree = await lower();
    return asked.every((path) => {
      const found = tree.lookup(path, { followLast: false });
      return found === undefined || found.entry === undefined || found.entry.type === 'directory';
    });
  }

  #expectFolder(path: BytePath): void {
    for (let at = path; at !== '' && !this.#unlisted.has(at); at = parentPath(at)) {
      const own = this.#own.get(at);
      if (own === 'folder') return;
      if (own === 'other') {
        this.#isOdd = true;
        return;
      }
      this.#unlisted.add(at);
    }
  }
}
