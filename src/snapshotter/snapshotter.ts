import type { BytePath, LayerSource } from '../layer/layer-change.ts';
import type { Digest } from '../oci/digest.ts';
import type { Mount } from '../system/mount.ts';

/**
 * The name of an unpacked layer: its diffID where the layer stands on its own, else the chainID of the stack
 * that it leans on. Callers pass keys on and never take one apart.
 */
export type SnapshotKey = Digest;

/** A stack, lowest layer first. */
export type Parents = readonly SnapshotKey[];

/** What is told of a committed snapshot. `sizeBytes`: of its regular files, each counted once. */
export interface SnapshotInfo {
  readonly key: SnapshotKey;
  readonly diffId: Digest;
  readonly sizeBytes: number;
  readonly createdAt: Date;
}

/** A layer to be unpacked, and where in its stack it stands. */
export interface ApplyRequest {
  /** The layers below, each already applied or under way with this snapshotter. */
  readonly parents: readonly (SnapshotKey | Promise<SnapshotKey>)[];
  /** All diffIDs of the stack, up to and with this layer's own. */
  readonly diffIds: readonly Digest[];
  readonly source: LayerSource;
  readonly signal?: AbortSignal | undefined;
  /** How far the layer is read. Begins anew where an attempt is given up. */
  readonly onBytes?: ((uncompressedBytes: number) => void) | undefined;
  /** How large the layer's tar is. Told only where this call has read it to its end and it has the layer's diffID. */
  readonly onWhole?: ((uncompressedBytes: number) => void) | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
}

/**
 * A file or folder that a mount will cover, or a symlink that every container has, as a BytePath such as `etc/hosts`.
 * What the container itself puts in place of a symlink stays.
 */
export type MountTarget =
  | { readonly path: BytePath; readonly type: 'file' | 'directory' }
  | { readonly path: BytePath; readonly type: 'symlink'; readonly target: string };

/** How an active snapshot is to be mounted. */
export interface PrepareOptions {
  /**
   * What the active snapshot holds need not survive a crash of the machine: syncs cost nothing then. For build steps and
   * containers that go with their command.
   */
  readonly isVolatile?: boolean | undefined;
}

/** A writable layer that a container or a build step works in. */
export interface ActiveSnapshot {
  readonly mounts: readonly Mount[];
}

/**
 * Unpacked layers, and mounts of stacks of them. No caller knows what a layer is on disk.
 *
 * A snapshot is one of three:
 *
 * - *Committed*: a layer, which never changes, by its key. `apply` makes one of a layer's tar, `commit` of what an
 *   active snapshot has written. Several of them, lowest first, are a stack, and any stack may share any of them.
 * - *Active*: a writable layer on a stack, in a folder of the caller's. It is no parent of anything.
 * - A *view*: a stack to read, of which nothing is kept.
 *
 * ## Life cycle
 *
 *                  apply                        prepare                     diff, commit
 *     layer's tar -------> committed snapshot ----------> active snapshot -------------> committed snapshot
 *                           |     ^     |                     |
 *                    remove |     |     | view                | the caller deletes its folder
 *                           v     |     v                     v
 *                         gone    |   mounts                gone
 *                                  `-- stat finds it again, in any process, whatever became of the one that made it
 *
 * ## Example: unpack an image of two layers, run something on it, keep what it wrote
 *
 *     await using snapshotter = createOverlaySnapshotter(paths);
 *     const base = snapshotter.apply({ parents: [], diffIds: [one], source: first });
 *     const top = snapshotter.apply({ parents: [base], diffIds: [one, two], source: second });  // at the same time
 *     const stack = await Promise.all([base, top]);
 *     const { mounts } = await snapshotter.prepare(folder, stack, [{ path: 'proc', type: 'directory' }]);
 *     // The caller makes the mounts where it likes (`runtime.enter`), runs something, and unmounts.
 *     const { diffId } = await snapshotter.diff(folder, { tarPath });
 *     const key = await snapshotter.commit(folder, [one, two], diffId);  // [...stack, key] is a stack now
 *
 * ## What holds
 *
 * - A committed snapshot is visible only when it is complete and its diffID verified; its layer's index is there, too.
 *   To apply or commit it again is cheap and changes nothing. Two processes that apply one layer do it once.
 * - A key is the layer's diffID where the layer stands on its own, so that stacks share it; else the chainID. Callers
 *   ask `stat`, and need not know which.
 * - Nothing is mounted here: mounts are plain data. The last of them has the tree; those before it say where they go.
 * - An active snapshot survives a crash of its process: `prepare` finds it, with what it holds. It must not be mounted
 *   any more when `diff` is called (save a read-only one) and `commit` uses it up.
 * - `diff` writes the changes in the order and form in which `apply` of that tar would give the same snapshot.
 * - `remove` of a key that is not there does nothing. Nothing guards against removing what is in use: that is the
 *   leases' affair (store).
 * - Disposing ends threads and timers at once, and aborts what they do. What has no need of them still works.
 *
 * What not every snapshotter can do is an interface of its own: `CleaningSnapshotter`, `DurableSnapshotter`.
 */
export interface Snapshotter extends AsyncDisposable {
  readonly name: string;
  /** The snapshot of the last layer of `diffIds`, under either name that it may have; undefined: not unpacked. */
  stat(diffIds: readonly Digest[]): Promise<SnapshotInfo | undefined>;
  /**
   * Unpacks a layer. Throws `digest-mismatch` where the tar is not the one that the last of `diffIds` names, `corrupt`
   * and `hostile` where it is damaged or made to do harm, `aborted`, `disk-full`.
   */
  apply(request: ApplyRequest): Promise<SnapshotKey>;
  /**
   * `folder`: private to the caller, on the snapshotter's own file system; holds all of the active snapshot's state.
   * Every one of `targets` is a plain empty file, a folder or a symlink in the tree, whatever the image has under that name
   * (a symlink, a fifo, a device), and is no change of the active snapshot's own; folders above them keep the owner
   * and mode they have in the image where they are folders there.
   */
  prepare(
    folder: string,
    parents: Parents,
    targets?: readonly MountTarget[],
    options?: PrepareOptions,
  ): Promise<ActiveSnapshot>;
  /** Read-only mounts of a stack; nothing is made. */
  view(parents: Parents): Promise<readonly Mount[]>;
  /**
   * A regular file of a stack (and of what an active snapshot in `folder` has written over it), with symlinks
   * resolved inside the root. Undefined where there is none or it is no regular file; `hostile` over `limitBytes`.
   * Never opens a fifo or device.
   */
  readFile(
    stack: { readonly parents: Parents; readonly folder?: string | undefined },
    path: BytePath,
    limitBytes: number,
  ): Promise<Buffer | undefined>;
  /**
   * `st_mode` of what is at each path of a stack, found as by `readFile`; undefined where nothing is. `way`: the true
   * path of each place that was looked at, the last one of what is not there.
   */
  look(
    stack: { readonly parents: Parents; readonly folder?: string | undefined },
    paths: readonly BytePath[],
  ): Promise<readonly { readonly mode: number | undefined; readonly way: readonly BytePath[] }[]>;
  /** Opens the regular file that one layer's index lists as `path`, for reading. Throws `not-found`. */
  openFile(key: SnapshotKey, path: BytePath): Promise<LayerFile>;
  /**
   * Writes what an active snapshot has changed as a tar. It is the last thing before `commit`, unless it is told to be
   * read-only. Throws `not-found` where the folder has no active snapshot.
   */
  diff(folder: string, options: DiffOptions): Promise<DiffResult>;
  /**
   * Turns an active snapshot into the layer that its `diff` has written, without unpacking anything. Throws
   * `invalid-argument` where that was another diff, or none.
   */
  commit(folder: string, parentDiffIds: readonly Digest[], diffId: Digest): Promise<SnapshotKey>;
  /** Bytes and entries written into an active snapshot, which may be in use: what can be reached by a path. */
  usage(folder: string): Promise<{ sizeBytes: number; entries: number }>;
  remove(key: SnapshotKey): Promise<void>;
  list(): AsyncIterable<SnapshotInfo>;
}

/** A snapshotter whose crashed processes leave something behind, or that defers work. */
export interface CleaningSnapshotter extends Snapshotter {
  /** Deletes what crashed processes left half-made, and frees what waits for deletion; makes durable what is there. */
  cleanup(): Promise<void>;
}

/** A snapshotter that does not sync as it goes. */
export interface DurableSnapshotter extends Snapshotter {
  /**
   * Makes durable what was applied and committed since the last time: one sync for all of it, which may take seconds.
   * Nobody need call it: without it, layers are held against their indexes after the machine has started anew.
   */
  sync(): Promise<void>;
}

/** Whether there may be something to clean up. */
export function canCleanUp(snapshotter: Snapshotter): snapshotter is CleaningSnapshotter {
  return 'cleanup' in snapshotter;
}

/** A regular file of one layer, open for reading. */
export interface LayerFile {
  readonly fd: number;
  /** Where in what is open the content begins, since a layer may be one file itself. The layer's index has its size. */
  readonly start: number;
  close(): void;
}

/** Where a diff goes, and what it does to times and to the active snapshot. */
export interface DiffOptions {
  /** Where the uncompressed tar goes. */
  readonly tarPath: string;
  /** Times later than this become this (`SOURCE_DATE_EPOCH`), in the tar and in the snapshot alike. */
  readonly clampSeconds?: number | undefined;
  /** Leaves the active snapshot as it is, so that it goes on (and may even be in use); `commit` cannot follow then. */
  readonly isReadOnly?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The tar that was written: its digest, its bytes, and how many changes it has. */
export interface DiffResult {
  readonly diffId: Digest;
  readonly sizeBytes: number;
  readonly entries: number;
}
