import { lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { isOcitsError, OcitsError } from '../../errors.ts';
import { runTool } from '../process/spawn.ts';

/** Trees with fewer entries in all are deleted here: to start a program takes longer. */
const SMALL = 100;

/**
 * Deletes trees of any size, depth and names. Names need not be UTF-8: Node's own `rm` would look for other names then.
 * What is not there is no error, and what is mounted below is left alone. Paths are absolute and UTF-8. One process at
 * most.
 */
export async function removeTrees(paths: readonly string[]): Promise<void> {
  const budget = { left: SMALL };
  const large = paths.filter((path) => !removeSmall(Buffer.from(path), undefined, budget));
  if (large.length === 0) return;
  try {
    await runTool('rm', ['-rf', '--one-file-system', '--', ...large]);
  } catch (error) {
    // It tells of each file; the first one says what is wrong.
    throw isOcitsError(error, 'tool-failed') ? cannotDelete(error) : error;
  }
}

function cannotDelete(error: OcitsError): OcitsError {
  const [, path, why] = /^.*?cannot remove '(.*?)': (.*)$/m.exec(error.message) ?? [];
  if (path === undefined) return error;
  const code = why === 'Read-only file system' || why === 'Permission denied' ? 'permission' : 'tool-failed';
  return new OcitsError(code, `cannot delete ${path}: ${why!.toLowerCase()}`, { cause: error });
}

/** Whether all is gone. False once the budget is used up, at a mount, and at whatever cannot be deleted. */
function removeSmall(path: Buffer, device: number | undefined, budget: { left: number }): boolean {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return true;
    if (budget.left-- <= 0 || (device !== undefined && stat.dev !== device)) return false;
    if (!stat.isDirectory()) {
      unlinkSync(path);
      return true;
    }
    const names = readdirSync(path, 'buffer');
    if (names.length > budget.left) return false;
    const slash = Buffer.from('/');
    if (!names.every((name) => removeSmall(Buffer.concat([path, slash, name]), stat.dev, budget)))
      return false;
    rmdirSync(path);
    return true;
  } catch {
    // rm says what is wrong.
    return false;
  }
}
