import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import type { BytePath, EntryMetadata, FileEntry, SymlinkEntry } from '../../layer/layer-change.ts';
import { nativePath } from '../../system/file/byte-name.ts';
import { fileTime } from '../../system/file/file-time.ts';
import { type FolderNode, type OwnNode, walkUp } from './layer-tree.ts';

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** Who makes a layer's files. */
export interface Creator {
  /** What new files get by themselves. */
  readonly uid: number;
  readonly gid: number;
  readonly umask: number;
}

/** A regular file that is being written. */
export interface OpenFile {
  readonly fd: number;
  /** How far its content reaches. */
  endBytes: number;
  /** There is a hole in it, so the descriptor's own position is of no use. */
  hasHole: boolean;
}

/**
 * The file calls that make a layer's folder. All are synchronous, none follows a symlink at the end of a path, and
 * no path on the way has one, since only we write here. Modes and times of folders come last, by `finishFolder`.
 */
export class LayerFolder {
  readonly #prefix: string;
  readonly #creator: Creator;
  /** The modes that folders have until they get their own. */
  readonly #folderModes = new Map<BytePath, number>();

  /** `root`: an empty folder. */
  constructor(root: string, creator: Creator) {
    this.#prefix = `${Buffer.from(root).toString('latin1')}/`;
    this.#creator = creator;
    // A parent with the setgid bit would give its group to all that is made here.
    chownSync(root, creator.uid, creator.gid);
    chmodSync(root, 0o755);
    this.#folderModes.set('', 0o755);
  }

  native(path: BytePath): string | Buffer {
    return nativePath(this.#prefix + path);
  }

  makeFolder(path: BytePath, mode: number): void {
    const first = mode <= 0o777 && (mode & this.#creator.umask) === 0 ? mode : 0o700;
    mkdirSync(this.native(path), first);
    if (first !== mode) this.#folderModes.set(path, first);
  }

  createFile(file: FileEntry): OpenFile {
    const fd = openSync(this.native(file.path), CREATE, file.mode & 0o777);
    return { fd, endBytes: 0, hasHole: false };
  }

  write(file: OpenFile, chunk: Buffer, position: number): void {
    if (position !== file.endBytes) file.hasHole = true;
    let done = 0;
    while (done < chunk.length) {
      const at = file.hasHole ? position + done : null;
      done += writeSync(file.fd, chunk, done, chunk.length - done, at);
    }
    file.endBytes = position + chunk.length;
  }

  finishFile(open: OpenFile, file: FileEntry): void {
    const { fd } = open;
    if (file.sizeBytes > open.endBytes) ftruncateSync(fd, file.sizeBytes);
    this.#own(fd, file);
    const time = fileTime(file.mtime.seconds);
    futimesSync(fd, time, time);
    closeSync(fd);
  }

  makeSymlink(link: SymlinkEntry): void {
    const path = this.native(link.path);
    symlinkSync(nativePath(link.target), path);
    if (this.#isForeign(link)) lchownSync(path, link.uid, link.gid);
    const time = fileTime(link.mtime.seconds);
    lutimesSync(path, time, time);
  }

  makeLink(target: BytePath, path: BytePath): void {
    linkSync(this.native(target), this.native(path));
  }

  /** Copies a file from outside, which nobody else can change. */
  copyFile(source: string | Buffer, file: FileEntry): void {
    const path = this.native(file.path);
    copyFileSync(source, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    fchmodSync(fd, file.mode & 0o777);
    this.finishFile({ fd, endBytes: file.sizeBytes, hasHole: false }, file);
  }

  /** Deletes what `node` stands for; what only a batch will make is not there yet. */
  remove(path: BytePath, node: OwnNode): void {
    if (node.type === 'whiteout') return;
    if (node.type !== 'folder') {
      if (node.isMade) unlinkSync(this.native(path));
      return;
    }
    for (const [at, below] of walkUp(node)) {
      if (below.type !== 'folder') this.remove(at, below);
      else {
        this.#folderModes.delete(at);
        rmdirSync(this.native(at));
      }
    }
  }

  /** Gives a folder its owner, mode and time; nothing may be made in it afterwards. */
  finishFolder({ path, metadata }: FolderNode): void {
    const native = this.native(path);
    if (this.#isForeign(metadata)) chownSync(native, metadata.uid, metadata.gid);
    if ((this.#folderModes.get(path) ?? metadata.mode) !== metadata.mode) chmodSync(native, metadata.mode);
    const time = fileTime(metadata.mtime.seconds);
    utimesSync(native, time, time);
  }

  /** Notes that a folder that is there already shall have another mode than it was made with. */
  changeMode(path: BytePath, from: number): void {
    if (!this.#folderModes.has(path)) this.#folderModes.set(path, from);
  }

  #own(fd: number, file: FileEntry): void {
    const isForeign = this.#isForeign(file);
    if (isForeign) fchownSync(fd, file.uid, file.gid);
    // A change of owner clears setuid and setgid; the umask has cleared its bits at creation.
    const isPlain = file.mode <= 0o777 && (file.mode & this.#creator.umask) === 0;
    if (!isPlain) fchmodSync(fd, file.mode);
  }

  #isForeign({ uid, gid }: Pick<EntryMetadata, 'uid' | 'gid'>): boolean {
    return uid !== this.#creator.uid || gid !== this.#creator.gid;
  }
}
