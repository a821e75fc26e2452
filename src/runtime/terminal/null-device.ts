import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { isErrno } from '../../errors.ts';
import { isNullDevice } from './own-descriptors.ts';

/** open(2); Node has no name for it. */
const O_PATH = 0o10000000;

/**
 * Opens the /dev/null of a container that runs, `pid` being its first process: crun gives the descriptors of an exec
 * to the process's user, and this node is the container's to have. Undefined where the container has something else
 * there: nothing is opened but a null device, and never the host's own node.
 */
export function openContainerNull(pid: number): number | undefined {
  let found: number | undefined;
  try {
    // Looked at first: to open another device can have effects, and a symlink would lead into the host.
    found = openSync(`/proc/${pid}/root/dev/null`, O_PATH | constants.O_NOFOLLOW);
    const node = fstatSync(found);
    const host = statSync('/dev/null');
    if (!isNullDevice(node) || (node.dev === host.dev && node.ino === host.ino)) return undefined;
    return openSync(`/proc/self/fd/${found}`, constants.O_RDWR);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'ESRCH', 'ENXIO')) return undefined;
    throw error;
  } finally {
    if (found !== undefined) closeSync(found);
  }
}
