import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { isErrno } from '../../errors.ts';
import { joinPath } from '../../layer/byte-path.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { nativePath } from '../../system/file/byte-name.ts';
import { FILE_TYPES, S_IFMT } from '../../system/file/file-types.ts';
import { readXattrsOf } from '../../system/file/xattrs.ts';
import type { LayerPlace, LayerReader, PlaceContent } from './layer-place.ts';

/** Opens a place without opening what is there: no device wakes up, no fifo waits. Node has no name for it. */
const O_PATH = 0o10000000;
const OPEN_PLACE = O_PATH | constants.O_NOFOLLOW;

/** Which folders are opaque: those that are known, or those with an attribute. */
export type OpaqueFolders = ReadonlySet<BytePath> | { readonly xattr: string };

/**
 * Reads a folder with the tree of a layer, or an upper directory. Goes from folder to folder by open descriptors and
 * never lets the kernel follow a symlink, so that even a container which changes its upper layer meanwhile leads
 * nowhere outside.
 */
export class FolderReader implements LayerReader {
  readonly #tree: string;
  readonly #opaques: OpaqueFolders;
  readonly #fds: number[] = [];

  constructor(tree: string, opaques: OpaqueFolders) {
    this.#tree = tree;
    this.#opaques = opaques;
  }

  root(): FolderPlace {
    return new FolderPlace(this, '', this.open(this.#tree));
  }

  /** Opens a place; it is closed with the reader. */
  open(path: string | Buffer): number {
    const fd = openSync(path, OPEN_PLACE);
    this.#fds.push(fd);
    return fd;
  }

  /** Whether the folder `path`, which is open as `fd`, is opaque. */
  isOpaque(path: BytePath, fd: number): boolean | Promise<boolean> {
    const opaques = this.#opaques;
    return 'xattr' in opaques ? isMarked(fd, opaques.xattr) : opaques.has(path);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) closeSync(fd);
    this.#fds.length = 0;
  }
}

class FolderPlace implements LayerPlace {
  readonly #reader: FolderReader;
  readonly #path: BytePath;
  readonly #fd: number;
  readonly target: string | undefined;
  #stat: Stats | undefined;

  constructor(reader: FolderReader, path: BytePath, fd: number, stat?: Stats, target?: string) {
    this.#reader = reader;
    this.#path = path;
    this.#fd = fd;
    this.#stat = stat;
    this.target = target;
  }

  get stat(): Stats {
    this.#stat ??= fstatSync(this.#fd);
    return this.#stat;
  }

  get isWhiteout(): boolean {
    return (this.stat.mode & S_IFMT) === FILE_TYPES.char && this.stat.rdev === 0;
  }

  find(name: string): FolderPlace | undefined {
    const native = nativePath(`/proc/self/fd/${this.#fd}/${name}`);
    // An exception for each miss would cost more than all else here.
    if (lstatSync(native, { throwIfNoEntry: false }) === undefined) return undefined;
    try {
      const fd = this.#reader.open(native);
      const stat = fstatSync(fd);
      const target = (stat.mode & S_IFMT) === FILE_TYPES.symlink ? readlinkSync(native, 'latin1') : undefined;
      return new FolderPlace(this.#reader, joinPath(this.#path, name), fd, stat, target);
    } catch (error) {
      // A running container may have put something else there in between.
      if (isErrno(error, 'ENOENT', 'EINVAL')) return undefined;
      throw error;
    }
  }

  isOpaque(): boolean | Promise<boolean> {
    return this.#reader.isOpaque(this.#path, this.#fd);
  }

  /** The place is the file itself, whatever stands under its name by now. */
  open(): PlaceContent {
    const fd = openSync(`/proc/self/fd/${this.#fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
    return { fd, start: 0, close: () => closeSync(fd) };
  }
}

async function isMarked(fd: number, xattr: string): Promise<boolean> {
  const xattrs = await readXattrsOf(`/proc/${process.pid}/fd/${fd}`, '.');
  return xattrs.get(xattr)?.toString('latin1') === 'y';
}
