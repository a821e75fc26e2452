import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../errors.ts';
import type { HostPaths } from '../system/paths.ts';
import { isRunning, ownIdentity, type ProcessIdentity } from '../system/process-identity.ts';
import { removeTrees } from '../system/remove-tree.ts';

/** A folder for one build's files, on the file system of layers. Goes with the build. */
export interface BuildFolder extends AsyncDisposable {
  /** Unique among all builds of this host. */
  readonly id: string;
  readonly path: string;
  /** For what no disk should keep; it may not exist. */
  readonly runPath: string;
}

const OWNER_FILE = 'owner.json';

/** Makes the folder of a new build below `$OCITS_ROOT/builds`. */
export async function makeBuildFolder({ root, run }: HostPaths): Promise<BuildFolder> {
  const id = `build-${randomBytes(8).toString('hex')}`;
  const path = join(root, 'builds', id);
  const unnamed = join(root, 'builds', `.tmp-${id}`);
  await mkdir(unnamed, { recursive: true, mode: 0o700 });
  await writeFile(join(unnamed, OWNER_FILE), JSON.stringify(ownIdentity()), { mode: 0o600 });
  // Whoever looks for abandoned folders sees it with its owner.
  await rename(unnamed, path);
  const runPath = runFolder(run, id);
  return { id, path, runPath, [Symbol.asyncDispose]: () => removeTrees([path, runPath]) };
}

/** The folders of builds whose process was killed. */
export async function abandonedBuildFolders({
  root,
  run,
}: HostPaths): Promise<Omit<BuildFolder, keyof AsyncDisposable>[]> {
  const folder = join(root, 'builds');
  const ids = (await readdir(folder).catch(noneIfMissing)).filter((name) => name.startsWith('build-'));
  const found = await Promise.all(
    ids.map(async (id) => {
      const path = join(folder, id);
      return (await hasOwner(path)) ? [] : [{ id, path, runPath: runFolder(run, id) }];
    }),
  );
  return found.flat();
}

function runFolder(run: string, id: string): string {
  return join(run, 'builds', id);
}

function noneIfMissing(error: unknown): string[] {
  if (isErrno(error, 'ENOENT')) return [];
  throw error;
}

async function hasOwner(path: string): Promise<boolean> {
  try {
    return isRunning(JSON.parse(await readFile(join(path, OWNER_FILE), 'utf8')) as ProcessIdentity);
  } catch {
    return false;
  }
}
