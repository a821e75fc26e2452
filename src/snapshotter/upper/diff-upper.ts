import {
  closeSync,
  constants,
  fstatSync,
  lutimesSync,
  openSync,
  readlinkSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { OcitsError } from '../../errors.ts';
import { showPath } from '../../layer/byte-path.ts';
import type { BytePath, EntryMetadata } from '../../layer/layer-change.ts';
import { createLayerWriter, type LayerWriter, type WrittenLayer } from '../../layer/tar/layer-writer.ts';
import { fileTime } from '../../system/file/file-time.ts';
import { FILE_TYPES, S_IFMT } from '../../system/file/file-types.ts';
import { readXattrs } from '../../system/file/xattrs.ts';
import { isPrivateXattr } from '../overlayfs/overlay-xattrs.ts';
import { openStack, type StackPlaces } from '../reading/open-stack.ts';
import type { StackReader } from '../reading/stack-reader.ts';
import type { RootFolder } from '../records/layer-record.ts';
import type { MountTarget } from '../snapshotter.ts';
import type { WorkOptions } from '../workers/worker-messages.ts';
import { type UpperNode, UpperTree } from './upper-walk.ts';

const PAUSE_ENTRIES = 256;
const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** What the diff of one upper layer needs: plain data, for a worker thread. */
export interface DiffJob {
  readonly upper: string;
  readonly tarPath: string;
  readonly clampSeconds?: number | undefined;
  /** Leave the upper layer as it is; else it becomes what the tar says. */
  readonly isReadOnly: boolean;
  readonly targets: readonly MountTarget[];
  /** The layers below, and what the root folder is there. */
  readonly lower: StackPlaces;
  readonly root: RootFolder;
  readonly opaqueXattr: string;
}

/** What a diff found: the tar that was written, and what the upper directory is as a layer. */
export interface DiffedLayer extends WrittenLayer {
  /** Of regular files, each counted once. */
  readonly contentBytes: number;
  readonly rootFolder: RootFolder | undefined;
  readonly opaques: readonly BytePath[];
  /** The folder has opaque marks that the tar has not, since nothing lies below them in this stack. */
  readonly leans: boolean;
}

/**
 * Writes what an upper layer changes as a tar, sorted. Times are whole seconds, as in all builders' tars; sockets,
 * mount targets and overlayfs's own marks are left out. Deletes the tar where it fails.
 */
export async function diffUpper(job: DiffJob, options: WorkOptions = {}): Promise<DiffedLayer> {
  using lower = await openStack(job.lower, { opaqueXattr: job.opaqueXattr });
  const xattrs = await upperXattrs(job.upper, options.signal);
  using writer = createLayerWriter(job.tarPath, { clampSeconds: job.clampSeconds });
  const diff = new UpperDiff(job, { writer, lower, xattrs, options });
  await diff.run();
  return { ...writer.finish(), ...diff.facts() };
}

interface DiffParts {
  readonly writer: LayerWriter;
  readonly lower: StackReader | undefined;
  readonly xattrs: ReadonlyMap<BytePath, ReadonlyMap<string, Buffer>>;
  readonly options: WorkOptions;
}

class UpperDiff {
  readonly #job: DiffJob;
  readonly #parts: DiffParts;
  readonly #tree: UpperTree;
  readonly #targets: ReadonlySet<BytePath>;
  readonly #links = new Map<bigint, BytePath>();
  readonly #opaques: BytePath[] = [];
  #rootFolder: RootFolder | undefined;
  #contentBytes = 0;
  #leans = false;
  #count = 0;

  constructor(job: DiffJob, parts: DiffParts) {
    this.#job = job;
    this.#parts = parts;
    this.#tree = new UpperTree(job.upper);
    this.#targets = new Set(job.targets.map(({ path }) => path));
  }

  async run(): Promise<void> {
    const root = this.#tree.node('');
    const { mode, uid, gid } = this.#job.root;
    const own = this.#metadata(root);
    if (own.mode !== mode || own.uid !== uid || own.gid !== gid || own.xattrs !== undefined) {
      this.#rootFolder = { mode: own.mode, uid: own.uid, gid: own.gid };
      this.#parts.writer.add({ type: 'directory', ...own });
    }
    await this.#children('');
    this.#settle(root, own);
  }

  facts() {
    return {
      contentBytes: this.#contentBytes,
      rootFolder: this.#rootFolder,
      opaques: this.#opaques,
      leans: this.#leans,
    };
  }

  async #children(path: BytePath): Promise<void> {
    for (const node of this.#tree.children(path)) {
      await this.#pause();
      if (this.#targets.has(node.path) && this.#dropTarget(node)) continue;
      if (node.type === 'directory') await this.#directory(node);
      else this.#leaf(node);
    }
  }

  /** Lets messages in now and then: an abort, in a thread. */
  async #pause(): Promise<void> {
    this.#count++;
    if (this.#count % PAUSE_ENTRIES === 0) await setImmediate();
    this.#parts.options.signal?.throwIfAborted();
  }

  async #directory(node: UpperNode): Promise<void> {
    const { writer, xattrs } = this.#parts;
    const metadata = this.#metadata(node);
    writer.add({ type: 'directory', ...metadata });
    if (xattrs.get(node.path)?.get(this.#job.opaqueXattr)?.toString('latin1') === 'y') {
      await this.#opaque(node.path);
    }
    await this.#children(node.path);
    this.#settle(node, metadata);
  }

  /** overlayfs marks new folders, too, as it likes; the tar shall not depend on that. */
  async #opaque(path: BytePath): Promise<void> {
    const below = await this.#parts.lower?.lookup(path);
    if (below === undefined || (below.mode & S_IFMT) !== FILE_TYPES.directory) {
      this.#leans = true;
      return;
    }
    this.#opaques.push(path);
    this.#parts.writer.add({ type: 'opaque', path });
  }

  #leaf(node: UpperNode): void {
    const { writer } = this.#parts;
    if (node.type === 'whiteout') {
      writer.add({ type: 'whiteout', path: node.path });
      return;
    }
    if (node.type === 'socket') {
      // A tar has no sockets, and one that nobody listens at is of no use.
      if (!this.#job.isReadOnly) unlinkSync(node.native);
      return;
    }
    const metadata = this.#metadata(node);
    if (!this.#hardlink(node, metadata)) this.#add(node, metadata);
    this.#settle(node, metadata);
  }

  #hardlink({ stat, path }: UpperNode, metadata: EntryMetadata): boolean {
    if (stat.nlink === 1n) return false;
    const target = this.#links.get(stat.ino);
    if (target === undefined) this.#links.set(stat.ino, path);
    else {
      const { xattrs: _, ...plain } = metadata;
      this.#parts.writer.add({ type: 'hardlink', ...plain, target });
    }
    return target !== undefined;
  }

  #add({ type, native, stat }: UpperNode, metadata: EntryMetadata): void {
    const { writer } = this.#parts;
    if (type === 'file') this.#file(native, metadata);
    else if (type === 'symlink') writer.add({ type, ...metadata, target: readlinkSync(native, 'latin1') });
    else if (type === 'char' || type === 'block')
      writer.add({ type, ...metadata, ...deviceNumber(stat.rdev) });
    else if (type === 'fifo') writer.add({ type, ...metadata });
  }

  #file(native: string | Buffer, metadata: EntryMetadata): void {
    const fd = openSync(native, OPEN_FILE);
    try {
      const stat = fstatSync(fd);
      if (!stat.isFile())
        throw new OcitsError('hostile', `${showPath(metadata.path)} changed while it was read`);
      this.#parts.writer.addFileFrom({ type: 'file', ...metadata, sizeBytes: stat.size }, fd);
      this.#contentBytes += stat.size;
    } finally {
      closeSync(fd);
    }
  }

  /** Leaves out what a mount covered; a folder that has something in it is somebody's own. */
  #dropTarget(node: UpperNode): boolean {
    if (node.type === 'directory' && this.#tree.children(node.path).length > 0) return false;
    if (!this.#job.isReadOnly) {
      if (node.type === 'directory') rmdirSync(node.native);
      else unlinkSync(node.native);
    }
    return true;
  }

  #metadata({ path, stat }: UpperNode): EntryMetadata {
    const { clampSeconds } = this.#job;
    const seconds = Number(stat.mtimeNs / 1_000_000_000n) - (stat.mtimeNs % 1_000_000_000n < 0n ? 1 : 0);
    const kept = [...(this.#parts.xattrs.get(path) ?? [])].filter(([name]) => !isPrivateXattr(name));
    return {
      path,
      mode: Number(stat.mode) & 0o7777,
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      mtime: { seconds: Math.min(seconds, clampSeconds ?? seconds), nanoseconds: 0 },
      xattrs: kept.length === 0 ? undefined : new Map(kept),
    };
  }

  /** Gives the file itself the time that the tar has for it. */
  #settle({ native, stat, type }: UpperNode, { mtime }: EntryMetadata): void {
    if (this.#job.isReadOnly) return;
    // Leaving things out has changed a folder's time since it was read.
    const isRight = stat.mtimeNs === BigInt(mtime.seconds) * 1_000_000_000n && type !== 'directory';
    if (isRight) return;
    const time = fileTime(mtime.seconds);
    lutimesSync(native, time, time);
  }
}

async function upperXattrs(upper: string, signal: AbortSignal | undefined) {
  const found = new Map<BytePath, ReadonlyMap<string, Buffer>>();
  await readXattrs(upper, ({ path, xattrs }) => found.set(path, xattrs), signal);
  return found;
}

/** Linux's own packing of a device number. */
function deviceNumber(rdev: bigint): { major: number; minor: number } {
  const number = Number(rdev);
  return {
    major: (number >>> 8) & 0xfff,
    minor: (number & 0xff) | ((number >>> 12) & 0xfff00),
  };
}
