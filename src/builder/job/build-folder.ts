import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeAbandoned } from '../../system/file/abandoned.ts';
import { temporaryName } from '../../system/file/atomic-file.ts';
import { namesIfThere } from '../../system/file/if-there.ts';
import { removeTrees } from '../../system/file/remove-tree.ts';
import type { HostPaths } from '../../system/paths.ts';
import { isRunning, ownIdentity, type ProcessIdentity } from '../../system/process/process-identity.ts';

/** A folder for one build's files, on the file system of layers. Goes with the build. */
export interface BuildFolder {
  /** Unique among all builds of this host. */
  readonly id: string;
  readonly path: string;
  /** For what no disk should keep; it may not exist. */
  readonly runPath: string;
}

const OWNER_FILE = 'owner.json';

/** A build's own folder, made when it is first needed. */
export class OwnBuildFolder implements BuildFolder, AsyncDisposable {
  readonly id = `build-${randomBytes(8).toString('hex')}`;
  readonly path: string;
  readonly runPath: string;
  readonly #parent: string;
  #made: Promise<void> | undefined;

  /** Its path is below `$OCITS_ROOT/builds`. */
  constructor({ root, run }: HostPaths) {
    this.#parent = join(root, 'builds');
    this.path = join(this.#parent, this.id);
    this.runPath = runFolder(run, this.id);
  }

  /** Makes it where that has not happened yet. */
  make(): Promise<void> {
    this.#made ??= this.#make();
    return this.#made;
  }

  async #make(): Promise<void> {
    const unnamed = temporaryName(this.#parent);
    await mkdir(unnamed, { recursive: true, mode: 0o700 });
    await writeFile(join(unnamed, OWNER_FILE), JSON.stringify(ownIdentity()), { mode: 0o600 });
    // Whoever looks for abandoned folders sees it with its owner.
    await rename(unnamed, this.path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#made === undefined) return;
    await this.#made.catch(() => {});
    await removeTrees([this.path, this.runPath]);
  }
}

/** The folders of builds whose process was killed. */
export async function abandonedBuildFolders({ root, run }: HostPaths): Promise<BuildFolder[]> {
  const folder = join(root, 'builds');
  await removeAbandoned(folder);
  const ids = (await namesIfThere(folder)).filter((name) => name.startsWith('build-'));
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

async function hasOwner(path: string): Promise<boolean> {
  try {
    return isRunning(JSON.parse(await readFile(join(path, OWNER_FILE), 'utf8')) as ProcessIdentity);
  } catch {
    return false;
  }
}
