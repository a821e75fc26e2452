import { watch } from 'node:fs';
import { access, open } from 'node:fs/promises';
import { waitForExit } from '../../runtime/conmon/wait-for-exit.ts';
import type { ExitRecord } from '../../runtime/supervisor.ts';
import type { HostPaths } from '../../system/paths.ts';
import { containerFolder } from '../record/folder.ts';
import { isMarkedLive, liveMark, marksFolder } from '../record/live-marks.ts';
import { containerState } from '../record/state.ts';

/**
 * Waits until a container that was started has ended. This works for one that is removed at its end, too: its folder is
 * kept open, so the exit record stays in reach.
 */
export async function waitForContainer(
  paths: HostPaths,
  id: string,
  signal?: AbortSignal,
): Promise<ExitRecord> {
  await using folder = await open(containerFolder(paths, id).folder, 'r');
  return await waitForExit(`/proc/self/fd/${folder.fd}`, signal);
}

/**
 * Waits at most `timeoutMs` until a container that somebody is starting runs, or has failed to. One that nobody starts is
 * not waited for.
 */
export async function waitUntilStarted(paths: HostPaths, id: string, timeoutMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const check = async () => {
    const isStarting = containerState(paths, id).status === 'created' && (await isMarkedLive(paths, id));
    if (!isStarting) resolve();
  };
  const watchers = [containerFolder(paths, id).folder, marksFolder(paths)].map((folder) =>
    watch(folder, () => void check()).on('error', () => resolve()),
  );
  const timer = setTimeout(resolve, timeoutMs);
  try {
    await check();
    await promise;
  } finally {
    clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  }
}

/** Waits at most `timeoutMs` until somebody has cleared up a container that has ended. Gives whether that is so. */
export async function waitUntilCleared(paths: HostPaths, id: string, timeoutMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const check = () => access(liveMark(paths, id)).catch(() => resolve(true));
  const watcher = watch(marksFolder(paths), () => void check());
  watcher.on('error', () => resolve(false));
  const timer = setTimeout(() => resolve(false), timeoutMs);
  try {
    await check();
    return await promise;
  } finally {
    clearTimeout(timer);
    watcher.close();
  }
}
