import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../errors.ts';
import { type HostPaths, partialFolder } from '../system/paths.ts';

/**
 * Deletes downloads that nobody has continued for `ageMs`, and lock files of downloads.
 * The caller holds the exclusive lease, so no writer is under way. Returns how many bytes were freed.
 */
export async function cleanPartials(paths: HostPaths, ageMs: number): Promise<number> {
  const folder = partialFolder(paths.root);
  const oldest = Date.now() - ageMs;
  let freedBytes = 0;
  for (const name of await readdir(folder)) {
    // What goes with its process.
    if (name.startsWith('.')) continue;
    const path = join(folder, name);
    const found = await lstat(path);
    if (found.mtimeMs > oldest) continue;
    await unlink(path);
    freedBytes += found.size;
  }
  await cleanLocks(join(paths.run, 'locks'));
  return freedBytes;
}

async function cleanLocks(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith('blob-')) await unlink(join(folder, name)).catch(unlessMissing);
  }
}

function unlessMissing(error: unknown): void {
  if (!isErrno(error, 'ENOENT')) throw error;
}
