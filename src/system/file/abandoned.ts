import { join } from 'node:path';
import { isErrno } from '../../errors.ts';
import { namesIfThereSync } from './if-there.ts';
import { removeTrees } from './remove-tree.ts';

/** Removes the files and folders under a `temporaryName` in `folder` whose process is gone. Nothing where it is not there. */
export async function removeAbandoned(folder: string): Promise<void> {
  const left = namesIfThereSync(folder).filter((name) => {
    const pid = /^\.tmp-(\d+)-/.exec(name)?.[1];
    return pid !== undefined && !isPidUsed(Number(pid));
  });
  if (left.length > 0) await removeTrees(left.map((name) => join(folder, name)));
}

function isPidUsed(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isErrno(error, 'ESRCH');
  }
}
