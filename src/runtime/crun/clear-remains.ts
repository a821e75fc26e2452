import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from '../../errors.ts';
import { removeTrees } from '../../system/file/remove-tree.ts';
import { cgroupFolders } from '../launch/host-cgroups.ts';

/** How often, and after which pause, a cgroup is tried again whose processes are still ending: 5 s in all. */
const ATTEMPTS = 250;
const PAUSE_MS = 20;

/**
 * Does by our own hand what `crun delete --force` has left: ends the processes in the container's cgroups, removes the
 * cgroups, and crun's folder for it. crun refuses a container of which its own record is damaged, and forgets the
 * cgroup where the record is gone. `root`: where crun keeps its records. Costs a few looks at folders where nothing is left.
 */
export async function clearRemains(root: string, id: string): Promise<void> {
  for (const folder of cgroupFolders(id)) if (existsSync(folder)) await removeCgroup(folder);
  await removeTrees([join(root, id)]);
}

async function removeCgroup(folder: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    for (const pid of processesIn(folder)) kill(pid);
    try {
      removeFolders(folder);
      return;
    } catch (error) {
      if (!isErrno(error, 'EBUSY') || attempt === ATTEMPTS) throw error;
    }
    await delay(PAUSE_MS);
  }
}

/** cgroups(7): the folders below it are cgroups, too. */
function processesIn(folder: string): number[] {
  try {
    const own = readFileSync(join(folder, 'cgroup.procs'), 'latin1').split('\n').map(Number);
    return [...own.filter((pid) => pid > 0), ...childrenOf(folder).flatMap(processesIn)];
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return [];
    throw error;
  }
}

function removeFolders(folder: string): void {
  try {
    for (const child of childrenOf(folder)) removeFolders(child);
    rmdirSync(folder);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

function childrenOf(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}
