import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ownUid } from '../access.ts';
import { isErrno, OcitsError, wrapError } from '../errors.ts';
import type { HostPaths } from '../system/paths.ts';

const ROOT_FOLDERS = ['blobs', 'blobs/sha256', 'partial', 'refs', 'compressed'] as const;
const RUN_FOLDERS = ['locks'] as const;
const OTHERS = 0o077;
const STICKY = 0o1000;

/**
 * Makes the store's folders where they are missing, all 0700, and closes a root or run folder that others could
 * enter. Throws `permission` where one of them belongs to somebody else. Synchronous: a dozen quick calls.
 */
export function makeStoreFolders(paths: HostPaths): void {
  makeTree(paths.root, ROOT_FOLDERS);
  makeTree(paths.run, RUN_FOLDERS);
}

function makeTree(top: string, below: readonly string[]): void {
  try {
    mkdirSync(top, { recursive: true, mode: 0o700 });
    closeToOthers(top);
    for (const name of below) makeFolder(join(top, name));
  } catch (error) {
    if (isErrno(error, 'EEXIST')) throw new OcitsError('permission', `${top} is not a folder`);
    throw wrapError(
      error,
      'permission',
      `cannot prepare ${top}`,
      'OCITS_ROOT and OCITS_RUN name other folders',
    );
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

function closeToOthers(top: string): void {
  const own = ownUid() ?? 0;
  const found = lstatSync(top);
  if (!found.isDirectory()) throw new OcitsError('permission', `${top} is not a folder`);
  if (found.uid !== own) throw foreign(top, found.uid);
  const above = lstatSync(dirname(top));
  // Whoever owns the folder above could put another one in this one's place; a sticky folder prevents that.
  const isSafe = above.uid === own || above.uid === 0 || (above.mode & STICKY) !== 0 || isUnmapped(above.uid);
  if (above.isDirectory() && !isSafe) throw foreign(dirname(top), above.uid);
  if ((found.mode & OTHERS) !== 0) chmodSync(top, 0o700);
}

/** Inside a user namespace the owners of the host's folders show as the overflow user. */
function isUnmapped(uid: number): boolean {
  return uid === 65534 && ownUid() === 0;
}

function foreign(path: string, uid: number): OcitsError {
  const root = uid === 0 ? 'run ocits as root, such as with sudo, or ' : '';
  return new OcitsError('permission', `${path} belongs to user ${uid}, not to this one`, {
    hint: `${root}choose other folders with OCITS_ROOT and OCITS_RUN`,
  });
}
