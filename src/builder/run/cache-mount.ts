import { chmod, chown, mkdir, readdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
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
 * The folder of a `RUN --mount=type=cache`. Its ID, else its target as it is written, names it, and so do the owner and
 * the mode that are asked for: with others, it is another folder, as in BuildKit. `shared`: with others at the same
 * time; `locked`: waits for them; `private`: another folder where they have it. Folders lie below
 * `$OCITS_ROOT/build-cache/mounts`.
 */
export async function openCacheFolder(
  root: string,
  mount: RunMount,
  signal: AbortSignal,
): Promise<CacheFolder> {
  const name = folderName(mount);
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

function folderName({ id, target = '', uid, gid, mode }: RunMount): string {
  const written = id ?? posix.normalize(target).replace(/(?<=.)\/$/, '');
  const isPlain = uid === undefined && gid === undefined && mode === undefined;
  // No path and no ID holds a NUL.
  const access = isPlain ? '' : `\0${uid ?? 0}:${gid ?? 0}:${(mode ?? DEFAULT_MODE).toString(8)}`;
  return digestHex(digestOf(written + access));
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
