import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../errors.ts';
import type { HostPaths } from '../system/paths.ts';

/**
 * Deletes downloads that nobody has continued for `ageMs`, what crashed writers left, and lock files of downloads.
 * The caller holds the exclusive lease, so no writer is under way. Returns how many bytes were freed.
 */
export async function cleanPartials(paths: HostPaths, ageMs: number): Promise<number> {
  const folder = join(paths.root, 'partial');
  const oldest = Date.now() - ageMs;
  let freedBytes = 0;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const found = await lstat(path);
    if (!name.startsWith('.') && found.mtimeMs > oldest) continue;
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
