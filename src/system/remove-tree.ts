import { runTool } from './spawn.ts';

/**
 * Deletes trees whatever their size, depth and names (names need not be UTF-8, of which Node's own `rm` makes
 * something else). What is not there is no error. Paths are absolute and UTF-8. One process.
 */
export async function removeTrees(paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  await runTool('rm', ['-rf', '--one-file-system', '--', ...paths]);
}
