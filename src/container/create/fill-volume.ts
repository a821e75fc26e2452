import { mkdirSync, rmdirSync } from 'node:fs';
import { chmod, chown, lstat, readlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { MOUNT_TARGETS } from '../../bundle/mounts.ts';
import { isErrno, OcitsError } from '../../errors.ts';
import { launchCommand } from '../../runtime/launch/launcher.ts';
import { toolEnvironment } from '../../runtime/launch/tool-environment.ts';
import type { Parents, Snapshotter } from '../../snapshotter/snapshotter.ts';
import { temporaryName } from '../../system/file/atomic-file.ts';
import { exited, runTool, spawnTool } from '../../system/process/spawn.ts';
import type { VolumeStore } from '../../volume/volume.ts';

const SYMLINK_LIMIT = 40;

/** The merged tree of an image's layers, for reading, as a path of the host's that nobody else sees. */
export interface ImageTree extends AsyncDisposable {
  readonly root: string;
}

/**
 * Mounts a stack in a mount namespace of its own, in which nothing but a waiting `cat` runs. Until it is disposed,
 * the tree is reached through that process.
 */
export async function openImageTree(
  snapshotter: Snapshotter,
  parents: Parents,
  runFolder: string,
): Promise<ImageTree> {
  const target = temporaryName(runFolder);
  mkdirSync(target, { mode: 0o700 });
  const { program, args } = await launchCommand({
    rootfs: { mounts: await snapshotter.view(parents), target },
    program: 'cat',
    args: [],
  });
  const child = spawnTool(program, args, ['pipe', 'pipe', 'inherit'], { env: toolEnvironment() });
  const exit = exited(child, program);
  exit.catch(() => {});
  const close = async () => {
    child.stdin!.destroy();
    await exit.catch(() => {});
    rmdirSync(target);
  };
  const isReady = new Promise<boolean>((resolve) => {
    child.stdout!.once('data', () => resolve(true));
    void exit.then(
      () => resolve(false),
      () => resolve(false),
    );
  });
  child.stdin!.on('error', () => {});
  child.stdin!.write('\n');
  if (!(await isReady)) {
    await close();
    throw new OcitsError('tool-failed', 'the layers of the image cannot be mounted');
  }
  return { root: `/proc/${child.pid}/root${target}`, [Symbol.asyncDispose]: close };
}

/**
 * Puts what the image has at `path` into an empty volume: content, owners, modes, times and extended attributes, and
 * the owner and mode of the folder itself, whatever they were. Symlinks on the way are followed inside the image. Does nothing where the
 * image has no folder there, or the volume has content.
 */
export async function fillVolume(
  volumes: VolumeStore,
  name: string,
  tree: ImageTree,
  path: string,
): Promise<void> {
  const source = await folderInside(tree.root, path);
  if (source === undefined) return;
  await volumes.fill(name, async (folder) => {
    // cp leaves the bits of an existing folder that its own mode has not, such as set-group-ID.
    await chown(folder, 0, 0);
    await chmod(folder, 0o755);
    await runTool('cp', ['-a', '--no-target-directory', '--', join(tree.root, source), folder]);
    await addMountTargets(source, folder);
  });
}

/** A mount inside the volume needs a place there, and in a read-only volume nobody could make one. */
async function addMountTargets(source: string, folder: string): Promise<void> {
  const inside = MOUNT_TARGETS.filter(({ path, type }) => type === 'file' && dirname(path) === source);
  for (const { path } of inside) {
    try {
      await writeFile(join(folder, basename(path)), '', { flag: 'wx', mode: 0o644 });
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
  }
}

/** The real path of a folder below `root`, from there; undefined where there is none. Throws `hostile` on a loop. */
async function folderInside(root: string, path: string): Promise<string | undefined> {
  const waiting = path.split('/').reverse();
  const done: string[] = [];
  for (let links = 0; waiting.length > 0; ) {
    const part = waiting.pop()!;
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const here = join(root, ...done, part);
    const stats = await lstat(here).catch(ignoreMissing);
    if (stats === undefined) return undefined;
    if (stats.isSymbolicLink()) {
      if (++links > SYMLINK_LIMIT)
        throw new OcitsError('hostile', `${path} in the image has too many symlinks`);
      const target = await readlink(here);
      if (target.startsWith('/')) done.length = 0;
      waiting.push(...target.split('/').reverse());
    } else if (stats.isDirectory()) done.push(part);
    else return undefined;
  }
  return done.join('/');
}

function ignoreMissing(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
  return undefined;
}
