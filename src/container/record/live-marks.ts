import { constants } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../errors.ts';
import { textIfThere } from '../../system/file/if-there.ts';
import type { HostPaths } from '../../system/paths.ts';
import { isProcessIdentity, isRunning, type ProcessIdentity } from '../../system/process/process-identity.ts';

/**
 * A file in the run folder for each container that may have something to clear away: a process, a network namespace, a
 * folder that goes when it ends. So dead containers are found without reading all of them. While a container is made,
 * before it has a record, the file names its maker. A reboot empties the folder; `liveIds` tells.
 */
export async function setLiveMark(paths: HostPaths, id: string, maker?: ProcessIdentity): Promise<void> {
  const folder = marksFolder(paths);
  const content = maker === undefined ? '' : JSON.stringify(maker);
  try {
    await writeFile(join(folder, id), content, { mode: 0o600 });
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, id), content, { mode: 0o600 });
  }
}

/** Whether the process that makes the container is still at it. */
export async function isInTheMaking(paths: HostPaths, id: string): Promise<boolean> {
  const content = await textIfThere(liveMark(paths, id));
  try {
    const maker: unknown = JSON.parse(content ?? '');
    return isProcessIdentity(maker) && isRunning(maker);
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

const KEEPS_VOLUMES = 'keeps volumes';

/**
 * Says that the container is being removed: whoever finds the mark without the container ends that. `withVolumes`:
 * its anonymous volumes go, too, as they do for one that nobody has made to its end.
 */
export async function markRemoval(paths: HostPaths, id: string, withVolumes: boolean): Promise<void> {
  await setLiveMark(paths, id);
  if (!withVolumes) await writeFile(liveMark(paths, id), KEEPS_VOLUMES, { mode: 0o600 });
}

/** Whether the container was being removed without its volumes. */
export async function keepsVolumes(paths: HostPaths, id: string): Promise<boolean> {
  return (await textIfThere(liveMark(paths, id)))?.startsWith(KEEPS_VOLUMES) === true;
}

const REPORTED = '\nreported';
const { O_APPEND, O_WRONLY } = constants;

/**
 * Notes in the mark of a container that somebody was told what is wrong with it; true where that has happened before.
 * False, too, where nothing can be noted.
 */
export async function noteReported(paths: HostPaths, id: string): Promise<boolean> {
  if ((await textIfThere(liveMark(paths, id)))?.endsWith(REPORTED)) return true;
  // Behind what it says already; one that is gone stays gone.
  await writeFile(liveMark(paths, id), REPORTED, { flag: O_WRONLY | O_APPEND }).catch(() => {});
  return false;
}

/** Whether the container may have something to clear away. */
export async function isMarkedLive(paths: HostPaths, id: string): Promise<boolean> {
  return (await textIfThere(liveMark(paths, id))) !== undefined;
}

/** Says that nothing of the container is left to clear away. Idempotent. */
export async function unmarkLive(paths: HostPaths, id: string): Promise<void> {
  await rm(join(marksFolder(paths), id), { force: true });
}

/** The IDs of marked containers; undefined where nobody has looked at all containers since boot. */
export async function liveIds(paths: HostPaths): Promise<readonly string[] | undefined> {
  try {
    const names = await readdir(marksFolder(paths));
    return names.includes(COMPLETE) ? names.filter((name) => name !== COMPLETE) : undefined;
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return undefined;
  }
}

/** Says that all containers were looked at since boot: those without a mark have nothing to clear away. */
export async function completeMarks(paths: HostPaths): Promise<void> {
  await setLiveMark(paths, COMPLETE);
}

const COMPLETE = 'complete';

/** Where the marks are. It is there as soon as any container was marked. */
export function marksFolder(paths: HostPaths): string {
  return join(paths.run, 'live');
}

/** The mark of one container. */
export function liveMark(paths: HostPaths, id: string): string {
  return join(marksFolder(paths), id);
}
