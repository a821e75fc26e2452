import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  type Stats,
} from 'node:fs';
import { isErrno, wrapError } from '../../errors.ts';
import { tooLong } from '../../layer/byte-path.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { nativePath, toBytes } from '../../system/file/byte-name.ts';
import { changedFile } from '../source/copy-error.ts';
import type { CopySource, OpenSource, SourceEntry, SourceType } from '../source/copy-source.ts';
import type { MatchResult, MatchState } from '../source/pattern.ts';
import { sameStamp, stampOf } from '../source/stamp.ts';
import { ContextDigests } from './digests.ts';
import { hashFiles } from './file-hash.ts';
import { explainPattern, type IgnoreRules } from './ignore-file.ts';

/**
 * A build context in a folder of the host, without what its `.dockerignore` leaves out. Names are bytes. Everything is
 * looked up when it is asked for, once: a build sees each folder in one state. All owners are 0.
 */
export class FolderContext implements CopySource {
  readonly name = 'the build context';
  readonly keepsSpecials = false;
  readonly #prefix: BytePath;
  readonly #rules: IgnoreRules;
  readonly #digests: ContextDigests;
  readonly #folders = new Map<BytePath, readonly SourceEntry[]>();
  readonly #states = new Map<BytePath, MatchState>();

  /** `root` is absolute and no symlink. Digests of files are remembered below `storeRoot`, where that is given. */
  constructor(root: string, rules: IgnoreRules, storeRoot?: string) {
    this.#prefix = toBytes(root === '/' ? '/' : `${root}/`);
    this.#rules = rules;
    this.#digests = ContextDigests.open(storeRoot, root);
  }

  entry(path: BytePath): SourceEntry | undefined {
    const slash = path.lastIndexOf('/');
    const listed = path === '' ? undefined : this.#folders.get(path.slice(0, Math.max(slash, 0)));
    if (listed !== undefined) return listed.find((entry) => entry.path === path);
    return this.#read(path, this.#match(path));
  }

  children(path: BytePath): readonly SourceEntry[] {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const { patterns } = this.#rules;
    const parent = this.#state(path);
    const entries: SourceEntry[] = [];
    for (const name of this.#names(path)) {
      const child = path === '' ? name : `${path}/${name}`;
      const result = patterns.match(child, parent);
      if (result.decidedBy !== undefined && !patterns.mayReinclude(child)) continue;
      // The state has to be known before the folder is looked into, and an ignored folder is looked into at once.
      if (result.decidedBy !== undefined) this.#states.set(child, result.state);
      const entry = this.#read(child, result);
      if (entry === undefined) continue;
      entries.push(entry);
      if (entry.type === 'directory') this.#states.set(child, result.state);
    }
    this.#folders.set(path, entries);
    return entries;
  }

  whyMissing(path: BytePath): string | undefined {
    if (this.#stat(path) === undefined) return undefined;
    const { decidedBy } = this.#rules.patterns.matchWhole(path);
    return decidedBy === undefined ? undefined : `${explainPattern(this.#rules, decidedBy)}, leaves it out`;
  }

  open({ path, stamp }: SourceEntry): OpenSource {
    let fd: number;
    try {
      fd = openSync(this.#file(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      throw isErrno(error, 'ENOENT', 'ELOOP', 'ENOTDIR')
        ? changedFile(path, error)
        : this.#failed(path, error);
    }
    if (stamp === undefined || !sameStamp(stampOf(fstatSync(fd)), stamp)) {
      closeSync(fd);
      throw changedFile(path);
    }
    return { fd, close: () => closeSync(fd) };
  }

  async digests(files: readonly SourceEntry[], signal?: AbortSignal): Promise<readonly string[]> {
    const stamped = files.map(({ path, stamp }) => ({ path, stamp: stamp! }));
    try {
      return await hashFiles(this.#prefix, stamped, this.#digests, signal);
    } finally {
      this.#digests.save();
    }
  }

  #file(path: BytePath): string | Buffer {
    return nativePath(this.#prefix + path);
  }

  /** Nothing is there under a name that no file can have. */
  #stat(path: BytePath): Stats | undefined {
    try {
      return lstatSync(this.#file(path), { throwIfNoEntry: false });
    } catch (error) {
      if (isNoName(path, error)) return undefined;
      throw this.#failed(path, error);
    }
  }

  #names(path: BytePath): string[] {
    try {
      return readdirSync(this.#file(path), 'latin1').sort();
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENOTDIR') || isNoName(path, error)) return [];
      throw this.#failed(path, error);
    }
  }

  /** What is at `path`; undefined where it is ignored. An ignored folder is there if anything in it is. */
  #read(path: BytePath, { decidedBy }: MatchResult): SourceEntry | undefined {
    if (decidedBy !== undefined && !this.#rules.patterns.mayReinclude(path)) return undefined;
    const stat = this.#stat(path);
    if (stat === undefined) return undefined;
    if (decidedBy !== undefined && (!stat.isDirectory() || this.children(path).length === 0))
      return undefined;
    const type = typeOf(stat);
    const entry = {
      path,
      type,
      mode: stat.mode & 0o7777,
      uid: 0,
      gid: 0,
      sizeBytes: type === 'file' ? stat.size : 0,
      mtimeSeconds: Math.floor(stat.mtimeMs / 1000),
      linkKey: type === 'file' && stat.nlink > 1 ? `${stat.dev}:${stat.ino}` : undefined,
      stamp: stampOf(stat),
    };
    return type === 'symlink' ? { ...entry, target: readlinkSync(this.#file(path), 'latin1') } : entry;
  }

  #state(path: BytePath): MatchState {
    if (path === '' || this.#rules.patterns.patterns.length === 0) return this.#rules.patterns.root;
    return this.#states.get(path) ?? this.#match(path).state;
  }

  #match(path: BytePath): MatchResult {
    if (path === '') return { decidedBy: undefined, state: this.#rules.patterns.root };
    const parent = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
    const result = this.#rules.patterns.match(path, this.#state(parent));
    this.#states.set(path, result.state);
    return result;
  }

  #failed(path: BytePath, error: unknown): Error {
    const name = Buffer.from(this.#prefix + path, 'latin1').toString('utf8');
    const hint = 'ignore it in .dockerignore, or let the build read it';
    return wrapError(error, 'permission', `cannot read ${name} of the build context`, hint);
  }
}

/** Whether no file anywhere can have the path. One that is too long only here, from the host's root on, may be there. */
function isNoName(path: BytePath, error: unknown): boolean {
  if (isErrno(error, 'ERR_INVALID_ARG_VALUE')) return true;
  return isErrno(error, 'ENAMETOOLONG') && tooLong(path) !== undefined;
}

function typeOf(stat: Stats): SourceType {
  switch (stat.mode & constants.S_IFMT) {
    case constants.S_IFREG:
      return 'file';
    case constants.S_IFDIR:
      return 'directory';
    case constants.S_IFLNK:
      return 'symlink';
    case constants.S_IFCHR:
      return 'char';
    case constants.S_IFBLK:
      return 'block';
    case constants.S_IFIFO:
      return 'fifo';
    default:
      return 'socket';
  }
}
