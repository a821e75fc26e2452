import { readdirSync, statfsSync, statSync } from 'node:fs';
import { mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno, isOcitsError } from '../../errors.ts';
import { requireProgram } from '../../system/process/programs.ts';
import { runTool } from '../../system/process/spawn.ts';

/**
 * Makes a network namespace and keeps it alive by a mount at `path`, until `deleteNamespace`. The file must not be
 * there yet. After a failure nothing is left.
 */
export async function makeNamespace(path: string, signal?: AbortSignal): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await (await open(path, 'wx', 0o600)).close();
  try {
    await runTool(requireProgram('unshare'), [`--net=${path}`, 'true'], { signal });
  } catch (error) {
    await deleteNamespace(path);
    throw error;
  }
}

/**
 * Takes the mount away and the file with it. The kernel then ends the namespace in the background, with its
 * interfaces and their far ends. Idempotent.
 */
export async function deleteNamespace(path: string): Promise<void> {
  for (;;) {
    try {
      // Unlinking also takes the copies of the mount out of other mount namespaces, which would keep it alive.
      await unlink(path);
      return;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return;
      if (!isErrno(error, 'EBUSY')) throw error;
    }
    try {
      await runTool(requireProgram('umount'), ['--lazy', '--', path]);
    } catch (error) {
      // Another process may have been quicker; whether it is gone is seen at the next unlink.
      if (!isOcitsError(error, 'tool-failed') || !/not mounted|no mount point/.test(error.message))
        throw error;
    }
  }
}

const NSFS_MAGIC = 0x6e736673;

/**
 * Whether the namespace kept at `path` surely has no process in it. False, too, where `path` is there and no namespace
 * as we see it: we may be in another mount namespace than whoever made it.
 */
export function isUnused(path: string): boolean {
  const { ino } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (ino === undefined) return true;
  if (statfsSync(path).type !== NSFS_MAGIC) return false;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.every((pid) => networkOf(pid) !== ino);
}

/** The number of a process's network namespace; undefined where it has ended. */
function networkOf(pid: string): number | undefined {
  try {
    return statSync(`/proc/${pid}/ns/net`).ino;
  } catch {
    return undefined;
  }
}

/** Runs a program of the host inside the namespace. */
export async function runInNamespace(
  path: string,
  command: readonly [string, ...string[]],
  signal?: AbortSignal,
): Promise<void> {
  await runTool(requireProgram('nsenter'), [`--net=${path}`, '--', ...command], { signal });
}
