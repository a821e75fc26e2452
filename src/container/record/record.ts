/**
 * The room of what is kept of a container: its record, its folder and its name, and what it does now by its files and
 * the kernel. All rooms and commands of containers come here first; the collection of garbage asks which images are
 * used. A record never changes once it is written, and the state is kept nowhere, so nothing can be stale.
 *
 *     const record = await findContainer(engine.paths, 'web');
 *     const { status, pid } = containerState(engine.paths, record.id);
 */

import type { ContainerMount } from '../../bundle/container-spec.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ResourceLimit } from '../../options/ulimit.ts';
import type { SnapshotKey } from '../../snapshotter/snapshotter.ts';
import type { ProcessIdentity } from '../../system/process/process-identity.ts';
import type { IsolationOptions, NetworkOptions } from '../flags/create-request.ts';

/** The first process with all that the image says, except what needs its files (user, home). */
export interface ProcessRecord {
  readonly args: readonly string[];
  readonly imageEnv: readonly string[];
  /** Set over the image's; see `CreateRequest`. */
  readonly userEnv: readonly string[];
  readonly workdir: string;
  /** As in `USER`; empty for root. */
  readonly user: string;
  readonly terminal: boolean;
  readonly openStdin: boolean;
  readonly stopSignal: string;
  readonly stopTimeoutSeconds: number;
  readonly rlimits: readonly ResourceLimit[];
}

export interface ImageRecord {
  /** As typed. */
  readonly name: string;
  readonly id: Digest;
  readonly manifest: Descriptor;
  readonly diffIds: readonly Digest[];
  /** The unpacked layers, lowest first. */
  readonly snapshots: readonly SnapshotKey[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** `spec.json`: all that a container is. Never changed once it is written. */
export interface ContainerRecord {
  readonly version: 3;
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly image: ImageRecord;
  readonly process: ProcessRecord;
  readonly hostname: string;
  /** With the ports that the image exposes, too. */
  readonly network: NetworkOptions;
  readonly mounts: readonly ContainerMount[];
  readonly isolation: IsolationOptions;
  /** The image's, and the user's over them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /**
   * Why this is no more than what other files say of a container whose own record is lost. Such a container can be
   * seen, stopped and removed, and not started. Never in `spec.json`.
   */
  readonly damage?: string | undefined;
  readonly lifetime: {
    readonly autoRemove: boolean;
    /** Whether the command that made it stays with it to the end, and clears it away. */
    readonly attached: boolean;
    readonly creator: ProcessIdentity;
  };
}
