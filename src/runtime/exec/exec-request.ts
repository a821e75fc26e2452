import type { Readable, Writable } from 'node:stream';
import type { ProcessSpec, SecurityOptions } from '../../bundle/container-spec.ts';
import type { StdioModes } from '../terminal/stdio-plan.ts';

export interface ExecRequest {
  readonly containerId: string;
  /** The container's folder, whose records tell its first process. */
  readonly folder: string;
  /** The container's own. */
  readonly security: SecurityOptions;
  readonly process: ProcessSpec;
  /** With a terminal, `stdin` is either `inherit` and a terminal, or `ignore`. */
  readonly stdio: StdioModes;
  /** Leave the process to itself once it runs: its streams are all `ignore`, and `wait` resolves at once. */
  readonly detach?: boolean | undefined;
}

/** Another process that runs in a container. */
export interface ExecProcess {
  /** Undefined where it ended before we looked. */
  readonly pid: number | undefined;
  readonly stdin?: Writable | undefined;
  readonly stdout?: Readable | undefined;
  readonly stderr?: Readable | undefined;
  /** The process's code, or 128 and the signal's number. Throws `not-found` or `not-executable` as `execProcess`. */
  wait(): Promise<number>;
  /** Sends a signal to it. One that has ended is no error. */
  kill(signal: string): Promise<void>;
}
