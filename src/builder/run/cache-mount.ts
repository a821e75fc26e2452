import { chmod, chown, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunMount } from '../../dockerfile/parse/run-mount.ts';
import { isErrno } from '../../errors.ts';
import { digestHex, digestOf } from '../../oci/digest.ts';
import { removeTrees } from '../../system/file/remove-tree.ts';
import { type FileLock, lockFile } from '../../system/task/lock.ts';

/** A folder that keeps its content from build to build, held until it is disposed of. */
export interface CacheFolder extends AsyncDisposable {
  readonly path: string;
}

const DEFAULT_MODE = 0o755;

/**
 * The folder of a `RUN --mount=type=cache`, by its ID (else its target, absolute). `shared`: with others at the same
 * time; `locked`: waits for them; `private`: another folder where they have it. Folders lie below
 * `$OCITS_ROOT/build-cache/mounts`.
 */
export async function openCacheFolder(
  root: string,
  mount: RunMount,
  target: string,
  signal: AbortSignal,
): Promise<CacheFolder> {
  const name = digestHex(digestOf(mount.id ?? target));
  const base = join(root, 'build-cache', 'mounts');
  const sharing = mount.sharing ?? 'shared';
  for (let number = 0; ; number++) {
    const path = join(base, number === 0 ? name : `${name}-${number}`);
    const lock = await lockFile(`${path}.lock`, {
      mode: sharing === 'shared' ? 'shared' : 'exclusive',
      ...(sharing === 'private' ? { waitMs: 0 } : {}),
      signal,
    });
    if (lock !== undefined) return await makeFolder(path, mount, lock);
  }
}

async function makeFolder(path: string, mount: RunMount, lock: FileLock): Promise<CacheFolder> {
  try {
    await mkdir(path, { mode: 0o700 });
    await chown(path, mount.uid ?? 0, mount.gid ?? 0);
    await chmod(path, mount.mode ?? DEFAULT_MODE);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) {
      await lock.release();
      throw error;
    }
  }
  return { path, [Symbol.asyncDispose]: () => lock.release() };
}

/** Deletes all cache folders. The caller holds the exclusive lease, so no build has one. */
export async function removeCacheFolders(root: string): Promise<void> {
  const base = join(root, 'build-cache', 'mounts');
  const names = await readdir(base).catch(() => []);
  await removeTrees(names.map((name) => join(base, name)));
}
