import { watch } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isErrno, OcitsError } from '../../errors.ts';
import { temporaryName } from '../../system/file/atomic-file.ts';
import { textIfThere } from '../../system/file/if-there.ts';
import type { HostPaths } from '../../system/paths.ts';
import { isRunning, ownIdentity, type ProcessIdentity } from '../../system/process/process-identity.ts';
import { containerFolder } from './folder.ts';
import type { ContainerRecord } from './record.ts';

const FILE = 'restart.json';
const LIVENESS_CHECK_MS = 1000;

/**
 * Says that this process stops the container to start it again, until `endRestart`: whoever clears it up meanwhile
 * keeps it, even where it removes itself. Throws `not-found` where the container is gone.
 */
export async function beginRestart(
  paths: HostPaths,
  { id, name }: Pick<ContainerRecord, 'id' | 'name'>,
): Promise<void> {
  // Whole or not at all, and in no new folder where the container has just gone.
  const temporary = temporaryName(containerFolder(paths, id).folder);
  try {
    await writeFile(temporary, JSON.stringify(ownIdentity()), { mode: 0o600 });
    await rename(temporary, markOf(paths, id));
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    throw new OcitsError('not-found', `No such container: ${name}`, { cause: error });
  }
}

/** The restart of this process is over, however it went. Idempotent. */
export async function endRestart(paths: HostPaths, id: string): Promise<void> {
  const restarter = await restarterOf(paths, id);
  if (isDeepStrictEqual(restarter, ownIdentity())) await rm(markOf(paths, id), { force: true });
}

/** Whether a process is restarting the container. A process that has died is not. */
export async function isRestarting(paths: HostPaths, id: string): Promise<boolean> {
  const restarter = await restarterOf(paths, id);
  return restarter !== undefined && isRunning(restarter);
}

async function restarterOf(paths: HostPaths, id: string): Promise<ProcessIdentity | undefined> {
  const text = await textIfThere(markOf(paths, id));
  try {
    return text === undefined ? undefined : (JSON.parse(text) as ProcessIdentity);
  } catch {
    return undefined;
  }
}

/** Waits until nobody restarts the container any more, or it is gone. */
export async function untilRestarted(paths: HostPaths, id: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const check = () => void isRestarting(paths, id).then((goesOn) => (goesOn ? undefined : resolve()), reject);
  const watcher = watch(containerFolder(paths, id).folder, check);
  // The folder may go with its container; the timer looks as well, since a process may die without a trace.
  watcher.on('error', () => watcher.close());
  const timer = setInterval(check, LIVENESS_CHECK_MS);
  try {
    check();
    await promise;
  } finally {
    clearInterval(timer);
    watcher.close();
  }
}

function markOf(paths: HostPaths, id: string): string {
  return join(containerFolder(paths, id).folder, FILE);
}
