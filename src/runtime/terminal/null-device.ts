import { closeSync, fstatSync, openSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../errors.ts';
import { temporaryName } from '../../system/file/atomic-file.ts';
import { partialFolder } from '../../system/paths.ts';
import { runTool } from '../../system/process/spawn.ts';

/** The number of the null device: major 1, minor 3. */
const NULL_DEVICE = 0x103;

/**
 * Opens a null device of ocits' own, for containers: crun gives what a process has as standard input and output to the
 * process's user, and the host's /dev/null would be that user's then. The node is made once, below `root`. Where that
 * cannot be (a file system without devices, a user who may make none) it is the host's.
 */
export async function openNull(root: string): Promise<number> {
  const path = join(root, 'null');
  const known = openNode(path);
  if (known !== undefined) return known;
  const unnamed = temporaryName(partialFolder(root));
  try {
    await runTool('mknod', ['-m', '666', '--', unnamed, 'c', '1', '3']);
    await rename(unnamed, path);
  } catch {
    await rm(unnamed, { force: true });
  }
  return openNode(path) ?? openSync('/dev/null', 'r+');
}

/** Whether a descriptor is a null device, the host's or another. */
export function isNullDevice(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isCharacterDevice() && stat.rdev === NULL_DEVICE;
  } catch (error) {
    // A closed descriptor is none.
    if (isErrno(error, 'EBADF')) return false;
    throw error;
  }
}

function openNode(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r+');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM', 'ENXIO')) return undefined;
    throw error;
  }
  if (isNullDevice(fd)) return fd;
  closeSync(fd);
  return undefined;
}
