import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { isErrno, OcitsError } from '../../errors.ts';
import { hostileEntry, joinPath } from '../../layer/byte-path.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { nativePath } from '../../system/file/byte-name.ts';
import { readXattrsOf } from '../../system/file/xattrs.ts';

/** Opens a place without opening what is there: no device wakes up, no fifo waits. Node has no name for it. */
const O_PATH = 0o10000000;
const OPEN_PLACE = O_PATH | constants.O_NOFOLLOW;
const MAX_SYMLINKS = 40;
const S_IFMT = 0o170000;
const S_IFCHR = 0o020000;
const S_IFDIR = 0o040000;
const S_IFLNK = 0o120000;

/** A folder with the tree of a layer. `opaques` is absent where it has to be asked of the file system. */
export interface ReadableLayer {
  readonly tree: string;
  readonly opaques?: ReadonlySet<BytePath> | undefined;
}

/** Something in the merged tree: an open place, with what it is. */
export interface FoundPlace {
  readonly fd: number;
  readonly stat: Stats;
  /** Of a symlink. */
  readonly target?: string | undefined;
}

/** One folder of the merged tree: the folders of all layers that take part in it, topmost first. */
interface MergedFolder {
  readonly path: BytePath;
  readonly levels: readonly { readonly layer: ReadableLayer; readonly fd: number }[];
  readonly stat: Stats;
}

/**
 * Reads the merged tree of layers without mounting it, as overlayfs would show it. Goes from folder to folder by open
 * descriptors and never lets the kernel follow a symlink, so that even a container which changes its upper layer
 * meanwhile leads nowhere outside. Disposing closes all.
 */
export class StackReader implements Disposable {
  readonly #layers: readonly ReadableLayer[];
  readonly #opaqueXattr: string;
  readonly #fds: number[] = [];
  readonly #folders = new Map<BytePath, MergedFolder>();
  #root: MergedFolder | undefined;

  /** `layers`: topmost first. */
  constructor(layers: readonly ReadableLayer[], opaqueXattr: string) {
    this.#layers = layers;
    this.#opaqueXattr = opaqueXattr;
  }

  /**
   * What is at `path`, with all symlinks followed inside the root. `onPlace` is told the true path of each place on the
   * way, the last one of what is not there. Throws `hostile` on a loop.
   */
  async resolve(path: BytePath, onPlace?: (place: BytePath) => void): Promise<FoundPlace | undefined> {
    const parts = path.split('/').reverse();
    let trail = [this.#rootFolder()];
    let symlinks = 0;
    let found: FoundPlace | undefined;
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
    const last = trail.at(-1)!;
    return found ?? { fd: last.levels[0]?.fd ?? -1, stat: last.stat };
  }

  /** What is at `path` itself; undefined, too, where something on the way is a symlink or no folder. */
  async lookup(path: BytePath): Promise<Stats | undefined> {
    let folder = this.#rootFolder();
    if (path === '') return folder.stat;
    const parts = path.split('/');
    for (const [position, part] of parts.entries()) {
      const next = await this.#enter(folder, part);
      if (position === parts.length - 1) return next?.stat;
      if (next === undefined || !('levels' in next)) return undefined;
      folder = next;
    }
    return folder.stat;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) closeSync(fd);
    this.#fds.length = 0;
    this.#folders.clear();
    this.#root = undefined;
  }

  #rootFolder(): MergedFolder {
    if (this.#root === undefined) {
      const levels = this.#layers.map((layer) => ({ layer, fd: this.#open(layer.tree) }));
      const top = levels[0];
      if (top === undefined) throw new OcitsError('internal', 'a stack without layers was read');
      this.#root = { path: '', levels, stat: fstatSync(top.fd) };
    }
    return this.#root;
  }

  async #enter(folder: MergedFolder, name: string): Promise<MergedFolder | FoundPlace | undefined> {
    const path = joinPath(folder.path, name);
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const levels: { layer: ReadableLayer; fd: number }[] = [];
    for (const level of folder.levels) {
      const place = this.#look(level.fd, name);
      if (place === undefined) continue;
      const type = place.stat.mode & S_IFMT;
      if (type === S_IFDIR) {
        levels.push({ layer: level.layer, fd: place.fd });
        if (await this.#isOpaque(level.layer, path, place.fd)) break;
      } else if (levels.length > 0 || (type === S_IFCHR && place.stat.rdev === 0)) break;
      else return place;
    }
    const top = levels[0];
    if (top === undefined) return undefined;
    const entered = { path, levels, stat: fstatSync(top.fd) };
    this.#folders.set(path, entered);
    return entered;
  }

  async #isOpaque(layer: ReadableLayer, path: BytePath, fd: number): Promise<boolean> {
    if (layer.opaques !== undefined) return layer.opaques.has(path);
    const xattrs = await readXattrsOf(`/proc/${process.pid}/fd/${fd}`, '.');
    return xattrs.get(this.#opaqueXattr)?.toString('latin1') === 'y';
  }

  #look(folder: number, name: string): FoundPlace | undefined {
    const path = nativePath(`/proc/self/fd/${folder}/${name}`);
    // An exception for each miss would cost more than all else here.
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
    try {
      const fd = this.#open(path);
      const stat = fstatSync(fd);
      if ((stat.mode & S_IFMT) !== S_IFLNK) return { fd, stat };
      return { fd, stat, target: readlinkSync(path, 'latin1') };
    } catch (error) {
      // A running container may have put something else there in between.
      if (isErrno(error, 'ENOENT', 'EINVAL')) return undefined;
      throw error;
    }
  }

  #open(path: string | Buffer): number {
    const fd = openSync(path, OPEN_PLACE);
    this.#fds.push(fd);
    return fd;
  }
}
