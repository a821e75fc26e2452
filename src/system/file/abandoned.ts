import { readlink, unlink } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { isErrno } from '../../errors.ts';
import { namesIfThereSync } from './if-there.ts';
import { removeTrees } from './remove-tree.ts';

/**
 * Removes the files and folders under a `temporaryName` in `folder` whose process is gone, and those elsewhere that an
 * `outsideName` leads to. Nothing where the folder is not there.
 */
export async function removeAbandoned(folder: string): Promise<void> {
  const left = namesIfThereSync(folder).filter((name) => {
    const pid = /^\.tmp-(\d+)-/.exec(name)?.[1];
    return pid !== undefined && !isPidUsed(Number(pid));
  });
  if (left.length === 0) return;
  for (const name of left) await removeOutside(join(folder, name));
  await removeTrees(left.map((name) => join(folder, name)));
}

/** The file that a link leads to, if it has the link's name, which nothing but ours has. */
async function removeOutside(path: string): Promise<void> {
  try {
    const target = await readlink(path);
    if (isAbsolute(target) && basename(target) === basename(path)) await unlink(target);
  } catch (error) {
    // No link, or it leads nowhere, or to where nobody can delete anything now.
    if (!isErrno(error)) throw error;
  }
}

function isPidUsed(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isErrno(error, 'ESRCH');
  }
}
