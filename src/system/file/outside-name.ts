import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isErrno } from '../../errors.ts';
import { temporaryName } from './atomic-file.ts';

/** A name for a file that is under way; disposing it says that the file is there no more under this name. */
export interface OutsideName extends Disposable {
  readonly path: string;
}

/**
 * A fresh name in a folder of the user's, where nobody sweeps. A link of the same name in `scratch`, which is swept
 * (`removeAbandoned`), leads to the file, should this process be killed. Where no link can be made, there is none.
 */
export function outsideName(folder: string, scratch: string): OutsideName {
  const path = temporaryName(folder);
  const link = join(scratch, basename(path));
  try {
    mkdirSync(scratch, { recursive: true, mode: 0o700 });
    symlinkSync(path, link);
  } catch (error) {
    // Such as on a full disk: what may be left behind is no reason to write nothing.
    if (!isErrno(error)) throw error;
  }
  return { path, [Symbol.dispose]: () => rmSync(link, { force: true }) };
}
