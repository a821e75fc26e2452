import { type FSWatcher, watch } from 'node:fs';
import { isErrno, isUnwritable } from '../../errors.ts';
import { isRunning } from '../../system/process/process-identity.ts';
import { wasOomKilled } from '../crun/oom.ts';
import { readExitRecord, readPidRecord, writeExitRecord } from '../crun/records.ts';
import type { ExitRecord } from '../supervisor.ts';
import { conmonExit } from './conmon-folder.ts';

/** What a container counts as having exited with when nobody was left to see it. */
export const UNKNOWN_EXIT_CODE = 255;
const LIVENESS_CHECK_MS = 1000;

/** How the container in `folder` ended, by our record or conmon's; undefined where it has not, or nobody has seen it. */
export function findExit(folder: string): ExitRecord | undefined {
  const settled = readExitRecord(folder);
  if (settled !== undefined) return settled;
  const exit = conmonExit(folder);
  if (exit === undefined) return undefined;
  return { ...exit, oomKilled: exit.oomKilled || wasOomKilled(folder, readPidRecord(folder), exit.exitCode) };
}

/**
 * Writes `exit.json` for a container that does not run: from conmon's record, else as unknown (255). Whether it is
 * written: false while the container runs, and where the disk is full; then conmon's record has to stay. Idempotent.
 */
export function settleExit(folder: string): boolean {
  if (readExitRecord(folder) !== undefined) return true;
  const record = readPidRecord(folder);
  if (record !== undefined && isRunning(record)) return false;
  try {
    writeExitRecord(folder, findExit(folder) ?? unknownExit());
    return true;
  } catch (error) {
    if (!isUnwritable(error)) throw error;
    return false;
  }
}

/**
 * Resolves when the container in `folder` has ended: any process may wait for any container. One whose watcher was
 * killed has no record; then the result is 255, up to two seconds late.
 */
export async function waitForExit(folder: string, signal?: AbortSignal): Promise<ExitRecord> {
  signal?.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<ExitRecord>();
  const check = () => {
    const exit = findExit(folder);
    if (exit !== undefined) resolve(exit);
  };
  const watchers = [folder, `${folder}/conmon`].flatMap((path) => watchIfThere(path, check));
  let wasGone = false;
  const timer = setInterval(() => {
    check();
    const record = readPidRecord(folder);
    const isGone = record === undefined || !isRunning(record);
    if (isGone && wasGone) resolve(findExit(folder) ?? unknownExit());
    wasGone = isGone;
  }, LIVENESS_CHECK_MS);
  const abort = () => reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    check();
    return await promise;
  } finally {
    clearInterval(timer);
    signal?.removeEventListener('abort', abort);
    for (const watcher of watchers) watcher.close();
  }
}

function watchIfThere(path: string, listener: () => void): readonly FSWatcher[] {
  try {
    const watcher = watch(path, listener);
    // The folder may go away with its container; the timer still looks.
    watcher.on('error', () => watcher.close());
    return [watcher];
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function unknownExit(): ExitRecord {
  return { exitCode: UNKNOWN_EXIT_CODE, oomKilled: false, finishedAt: new Date().toISOString() };
}
