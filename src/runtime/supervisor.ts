import type { Readable, Writable } from 'node:stream';
import type { ContainerSpec } from '../bundle/container-spec.ts';
import type { Mount } from '../system/mount.ts';

/** How a container ended. Kept as `exit.json` in the container's folder. */
export interface ExitRecord {
  /** The process's code, or 128 and the signal's number. */
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** RFC 3339. */
  readonly finishedAt: string;
}

/** `inherit`: our own descriptor; `pipe`: a stream on the result; `ignore`: /dev/null. */
export type StdioMode = 'inherit' | 'pipe' | 'ignore';

export interface StartRequest {
  /** The container's folder, there already and 0700: gets `bundle/`, `pid`, `log`, `exit.json`. */
  readonly folder: string;
  /** Its `rootfs` is where `rootMounts` will be mounted: an existing empty folder. */
  readonly spec: ContainerSpec;
  readonly rootMounts: readonly Mount[];
  readonly stdio: { readonly stdin: StdioMode; readonly stdout: StdioMode; readonly stderr: StdioMode };
  /** Under conmon: the command (absolute program first) that conmon runs once the container has ended. */
  readonly exitCommand?: readonly string[] | undefined;
  /** Under conmon: standard input stays open for a later attach. */
  readonly keepStdin?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A container whose process runs. */
export interface RunningContainer {
  readonly pid: number;
  readonly stdin?: Writable | undefined;
  readonly stdout?: Readable | undefined;
  readonly stderr?: Readable | undefined;
  /** Resolves when the container has ended and its exit record is written. */
  wait(): Promise<ExitRecord>;
  /** Sends a signal, such as `SIGTERM`, to the container's first process. A container that has ended is no error. */
  kill(signal: string): Promise<void>;
  /** Under conmon: leaves the container to itself. Nothing of this process waits for it any more; `wait` fails. */
  release?(): void;
}

/**
 * Watches one container. Two of them: `direct`, crun on the command's own descriptors, for what ends with the
 * command; `conmon`, for everything that outlives it, and a terminal without one of our own. Both write `pid`
 * and `exit.json`.
 *
 * `start` throws `not-found` where the image lacks the command (exit code 127), `not-executable` (126),
 * `missing-program` for crun or conmon, `tool-failed` else; and has undone everything then.
 */
export interface Supervisor {
  start(request: StartRequest): Promise<RunningContainer>;
}
