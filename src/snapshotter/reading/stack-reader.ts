import { OcitsError } from '../../errors.ts';
import { hostileEntry, joinPath } from '../../layer/byte-path.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { FILE_TYPES, S_IFMT } from '../../system/file/file-types.ts';
import type { LayerPlace, LayerReader, PlaceStat } from './layer-place.ts';

const MAX_SYMLINKS = 40;

/** One folder of the merged tree: the folders of all layers that take part in it, topmost first. */
interface MergedFolder {
  readonly path: BytePath;
  readonly levels: readonly LayerPlace[];
  /** The topmost of them, which says what the folder is like. */
  readonly top: LayerPlace;
}

/**
 * The room of reading: it shows what overlayfs would show of layers, and of an upper directory over them, without
 * mounting anything. A `LayerReader` knows how one layer is read. The parts that resolve users, make mount targets or
 * take a diff may call it.
 *
 *     using stack = await openStack(placesOf(form, storeRoot, layers), { upper, opaqueXattr });
 *     const place = await stack?.resolve('etc/passwd');
 *     const content = place && (await place.open());
 *
 * Symlinks are followed inside the root, by the text that they have, never by the kernel. Disposing closes all.
 */
export class StackReader implements Disposable {
  readonly #layers: readonly LayerReader[];
  readonly #folders = new Map<BytePath, MergedFolder>();
  #root: MergedFolder | undefined;

  /** `layers`: topmost first. */
  constructor(layers: readonly LayerReader[]) {
    this.#layers = layers;
  }

  /**
   * What is at `path`, with all symlinks followed inside the root. `onPlace` is told the true path of each place on the
   * way, the last one of what is not there. Throws `hostile` on a loop.
   */
  async resolve(path: BytePath, onPlace?: (place: BytePath) => void): Promise<LayerPlace | undefined> {
    const parts = path.split('/').reverse();
    let trail = [this.#rootFolder()];
    let symlinks = 0;
    let found: LayerPlace | undefined;
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      if (part === '' || part === '.') continue;
      // What is no folder has nothing below it, not even `..`.
      if (found !== undefined) return undefined;
      if (part === '..') {
        if (trail.length > 1) trail.pop();
        continue;
      }
      const folder = trail.at(-1)!;
      onPlace?.(joinPath(folder.path, part));
      const next = await this.#enter(folder, part);
      if (next === undefined) return undefined;
      if ('levels' in next) trail.push(next);
      else if (next.target === undefined) found = next;
      else {
        symlinks++;
        if (symlinks > MAX_SYMLINKS) throw hostileEntry(path, 'lies behind too many symlinks');
        if (next.target.startsWith('/')) trail = [this.#rootFolder()];
        parts.push(...next.target.split('/').reverse());
      }
    }
    return found ?? trail.at(-1)!.top;
  }

  /** What is at `path` itself; undefined, too, where something on the way is a symlink or no folder. */
  async lookup(path: BytePath): Promise<PlaceStat | undefined> {
    let folder = this.#rootFolder();
    if (path === '') return folder.top.stat;
    const parts = path.split('/');
    for (const [position, part] of parts.entries()) {
      const next = await this.#enter(folder, part);
      const isLast = position === parts.length - 1;
      if (next === undefined || !('levels' in next)) return isLast ? next?.stat : undefined;
      folder = next;
    }
    return folder.top.stat;
  }

  [Symbol.dispose](): void {
    for (const layer of this.#layers) layer[Symbol.dispose]();
    this.#folders.clear();
    this.#root = undefined;
  }

  #rootFolder(): MergedFolder {
    if (this.#root === undefined) {
      const levels = this.#layers.map((layer) => layer.root());
      const top = levels[0];
      if (top === undefined) throw new OcitsError('internal', 'a stack without layers was read');
      this.#root = { path: '', levels, top };
    }
    return this.#root;
  }

  async #enter(folder: MergedFolder, name: string): Promise<MergedFolder | LayerPlace | undefined> {
    const path = joinPath(folder.path, name);
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const levels: LayerPlace[] = [];
    for (const level of folder.levels) {
      const place = level.find(name);
      if (place === undefined) continue;
      if ((place.stat.mode & S_IFMT) === FILE_TYPES.directory) {
        levels.push(place);
        if (await place.isOpaque()) break;
      } else if (levels.length > 0 || place.isWhiteout) break;
      else return place;
    }
    const top = levels[0];
    if (top === undefined) return undefined;
    const entered = { path, levels, top };
    this.#folders.set(path, entered);
    return entered;
  }
}
