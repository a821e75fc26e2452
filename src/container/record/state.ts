import { statSync } from 'node:fs';
import { join } from 'node:path';
import { findExit, UNKNOWN_EXIT_CODE } from '../../runtime/conmon/wait-for-exit.ts';
import { PID_FILE, readPidRecord } from '../../runtime/crun/records.ts';
import type { HostPaths } from '../../system/paths.ts';
import { isRunning } from '../../system/process/process-identity.ts';
import { readStartFailure } from './failed-start.ts';
import { containerFolder } from './folder.ts';
import type { ContainerRecord } from './record.ts';

export type ContainerStatus = 'created' | 'running' | 'exited';

/** What a container does now, as its files and the kernel say. Nobody keeps it up to date, so nothing can be stale. */
export interface ContainerState {
  readonly status: ContainerStatus;
  /** 0 unless it runs. */
  readonly pid: number;
  /** 0 unless it has ended, or its last start failed. */
  readonly exitCode: number;
  /** Why its last start failed; undefined where it did not. */
  readonly error?: string | undefined;
  readonly oomKilled: boolean;
  /** Of the last start. */
  readonly startedAt?: Date | undefined;
  readonly finishedAt?: Date | undefined;
}

/** The state of a container. A few file reads. */
export function containerState(paths: HostPaths, id: string): ContainerState {
  const { folder } = containerFolder(paths, id);
  const record = readPidRecord(folder);
  const startedAt = modifiedAt(join(folder, PID_FILE));
  const started = startedAt === undefined ? {} : { startedAt };
  const exit = findExit(folder);
  if (exit !== undefined) {
    const { exitCode, oomKilled } = exit;
    const finishedAt = new Date(exit.finishedAt);
    return { status: 'exited', pid: 0, exitCode, oomKilled, ...started, finishedAt, ...lastStart(folder) };
  }
  if (record === undefined) return neverStarted(folder);
  if (isRunning(record)) {
    return { status: 'running', pid: record.pid, exitCode: 0, oomKilled: false, ...started };
  }
  return { status: 'exited', pid: 0, exitCode: UNKNOWN_EXIT_CODE, oomKilled: false, ...started };
}

/** What the last start says over the exit before it, where it failed. */
function lastStart(folder: string): Pick<ContainerState, 'exitCode' | 'error'> | undefined {
  const failure = readStartFailure(folder);
  return failure === undefined ? undefined : { exitCode: failure.exitCode, error: failure.error };
}

/** A container that has no process and no exit: it never had one, or a start that failed has cleared them away. */
function neverStarted(folder: string): ContainerState {
  const failure = readStartFailure(folder);
  const { exitCode = 0, error, before } = failure ?? {};
  const nothing = { pid: 0, exitCode, error } as const;
  if (before === undefined) return { status: 'created', ...nothing, oomKilled: false };
  const { startedAt, finishedAt, oomKilled } = before;
  const date = (text: string | undefined) => (text === undefined ? undefined : new Date(text));
  return {
    status: 'exited',
    ...nothing,
    oomKilled,
    startedAt: date(startedAt),
    finishedAt: date(finishedAt),
  };
}

/** Whether the command that runs a container in the foreground is still there to clear it away. */
export function hasAttendant({ lifetime }: ContainerRecord): boolean {
  return lifetime.attached && lifetime.creator.pid !== process.pid && isRunning(lifetime.creator);
}

function modifiedAt(path: string): Date | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtime;
}
