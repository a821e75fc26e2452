import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../errors.ts';
import { hasAttachments } from '../network/network-settings.ts';
import { lockFile } from '../system/lock.ts';
import type { HostPaths } from '../system/paths.ts';
import { isRunning } from '../system/process-identity.ts';
import { removeTrees } from '../system/remove-tree.ts';
import { clearContainer } from './clear-container.ts';
import { containerIds, readContainer } from './container-catalog.ts';
import { containerLock, containersFolder } from './container-folder.ts';
import type { ContainerHost } from './container-host.ts';
import type { ContainerRecord } from './container-record.ts';
import { containerState, hasAttendant } from './container-state.ts';
import { completeMarks, liveIds, unmarkLive } from './live-marks.ts';

/**
 * Clears away what processes that died have left: containers that have ended with nobody to attend to them, networks,
 * folders half-made. Commands of containers call it first. A few milliseconds where there is nothing to do: only
 * containers with a mark are looked at, and all of them once after the host has started.
 */
export async function sweepContainers(host: ContainerHost): Promise<void> {
  const marked = await liveIds(host.paths);
  const alive = new Set<string>();
  for (const id of marked ?? (await containerIds(host.paths))) {
    if (await sweepOne(host, id)) alive.add(id);
  }
  await Promise.all([
    hasAttachments() ? host.network().then((driver) => driver.repair(alive)) : undefined,
    removeHalfMade(host.paths),
    marked === undefined ? completeMarks(host.paths) : undefined,
  ]);
}

/** Whether the container runs, or somebody attends to it. */
async function sweepOne(host: ContainerHost, id: string): Promise<boolean> {
  const record = await readContainer(host.paths, id);
  if (record === undefined) {
    await unmarkLive(host.paths, id);
    return false;
  }
  if (isInHands(host.paths, record)) return true;
  await using lock = await lockFile(containerLock(host.paths, id), { mode: 'exclusive', waitMs: 0 });
  // Whoever holds it is starting or clearing it.
  if (lock === undefined) return true;
  const again = await readContainer(host.paths, id);
  if (again === undefined || isInHands(host.paths, again)) return again !== undefined;
  await clearContainer(host, again, { byRuntime: false });
  return false;
}

function isInHands(paths: HostPaths, record: ContainerRecord): boolean {
  if (hasAttendant(record)) return true;
  const { status } = containerState(paths, record.id);
  if (status === 'running') return true;
  // One that goes by itself, between its creation and its start.
  return status === 'created' && record.lifetime.autoRemove && isRunning(record.lifetime.creator);
}

/** Folders that are being made or deleted carry the process in their name. */
async function removeHalfMade(paths: HostPaths): Promise<void> {
  const folder = containersFolder(paths);
  const names = await readdir(folder).catch((error: unknown) => {
    if (!isErrno(error, 'ENOENT')) throw error;
    return [];
  });
  const left = names.filter((name) => {
    const pid = /^\.tmp-(\d+)-/.exec(name)?.[1];
    return pid !== undefined && !isPidUsed(Number(pid));
  });
  await removeTrees(left.map((name) => join(folder, name)));
}

function isPidUsed(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isErrno(error, 'ESRCH');
  }
}
