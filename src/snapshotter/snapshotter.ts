import type { FileHandle } from 'node:fs/promises';
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

export interface SnapshotInfo {
  readonly key: SnapshotKey;
  readonly diffId: Digest;
  readonly sizeBytes: number;
  readonly createdAt: Date;
}

export interface ApplyRequest {
  /** The layers below, each already applied or under way with this snapshotter. */
  readonly parents: readonly (SnapshotKey | Promise<SnapshotKey>)[];
  /** All diffIDs of the stack, up to and with this layer's own. */
  readonly diffIds: readonly Digest[];
  readonly source: LayerSource;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: ((uncompressedBytes: number) => void) | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
}

/**
 * A file or folder that a mount will cover, or a symlink that every container has, as a BytePath such as `etc/hosts`.
 * What the container itself puts in place of a symlink stays.
 */
export type MountTarget =
  | { readonly path: BytePath; readonly type: 'file' | 'directory' }
  | { readonly path: BytePath; readonly type: 'symlink'; readonly target: string };

export interface PrepareOptions {
  /**
   * What the active snapshot holds need not survive a crash of the host: syncs cost nothing then. For build steps and
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
 * - `apply` unpacks one layer, verifies its diffID and makes the layer's index, so that it is visible only when
 *   complete; doing it again is cheap and changes nothing. Two processes that apply one layer do it once.
 * - An active snapshot is a writable layer in a folder of the caller's, on top of `parents`. `prepare` makes it
 *   or finds it, and gives the mounts; the last of them has the tree. Nothing is mounted by the snapshotter:
 *   mounts are plain data, for `runtime.enter`.
 * - `commit` turns what an active snapshot has written into a layer: `diff` writes its changes as a tar to the
 *   sink, in the order and form that `apply` of that tar would give the same snapshot; then the layer gets its
 *   name, without being unpacked again. The active snapshot is used up, and must not be mounted any more.
 * - `remove` of a key that is not there does nothing. Nothing guards against removing what is in use: that is
 *   the leases' affair (store).
 */
export interface Snapshotter extends AsyncDisposable {
  readonly name: string;
  /** The snapshot of the last layer of `diffIds`, under either name that it may have; undefined: not unpacked. */
  stat(diffIds: readonly Digest[]): Promise<SnapshotInfo | undefined>;
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
    stack: { readonly parents: Parents; readonly folder?: string },
    path: BytePath,
    limitBytes: number,
  ): Promise<Buffer | undefined>;
  /**
   * `st_mode` of what is at each path of a stack, found as by `readFile`; undefined where nothing is. `way`: the true
   * path of each place that was looked at, the last one of what is not there.
   */
  look(
    stack: { readonly parents: Parents; readonly folder?: string },
    paths: readonly BytePath[],
  ): Promise<readonly { readonly mode: number | undefined; readonly way: readonly BytePath[] }[]>;
  /** Opens the regular file that one layer's index lists as `path`, for reading. Throws `not-found`. */
  openFile(key: SnapshotKey, path: BytePath): Promise<FileHandle>;
  diff(folder: string, options: DiffOptions): Promise<DiffResult>;
  commit(folder: string, parentDiffIds: readonly Digest[], diffId: Digest): Promise<SnapshotKey>;
  /** Bytes and entries written into an active snapshot, which may be in use: what can be reached by a path. */
  usage(folder: string): Promise<{ sizeBytes: number; entries: number }>;
  remove(key: SnapshotKey): Promise<void>;
  list(): AsyncIterable<SnapshotInfo>;
  /**
   * Makes durable what was applied and committed since the last time: one sync for all of it, which may take seconds.
   * Nobody need call it: without it, layers are held against their indexes after the host has started anew.
   */
  sync(): Promise<void>;
  /** Deletes what crashed processes left half-made, and frees what waits for deletion; makes durable what is there. */
  cleanup(): Promise<void>;
}

export interface DiffOptions {
  /** Where the uncompressed tar goes. */
  readonly tarPath: string;
  /** Times later than this become this (`SOURCE_DATE_EPOCH`), in the tar and in the snapshot alike. */
  readonly clampSeconds?: number | undefined;
  /** Leaves the active snapshot as it is, so that it goes on (and may even be in use); `commit` cannot follow then. */
  readonly isReadOnly?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DiffResult {
  readonly diffId: Digest;
  readonly sizeBytes: number;
  readonly entries: number;
}
