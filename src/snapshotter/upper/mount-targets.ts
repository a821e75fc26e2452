import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { joinPath } from '../../layer/byte-path.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { nativePath } from '../../system/file/byte-name.ts';
import { fileTime } from '../../system/file/file-time.ts';
import { FILE_TYPES, S_IFMT } from '../../system/file/file-types.ts';
import { removeTrees } from '../../system/file/remove-tree.ts';
import type { PlaceStat } from '../reading/layer-place.ts';
import type { StackReader } from '../reading/stack-reader.ts';
import type { RootFolder } from '../records/layer-record.ts';
import { makeRootFolder } from '../records/snapshot-root.ts';
import type { MountTarget } from '../snapshotter.ts';

const PLAIN_MODE = 0o755;

/**
 * Makes the layer with the mount targets in `folder`, which must not exist: plain empty files, folders and symlinks, which stand
 * over whatever the image has there. Folders on the way have the owner, mode and time of the image's where it has
 * folders there; symlinks of the image are never followed.
 */
export async function makeTargetLayer(
  folder: string,
  root: RootFolder,
  image: StackReader | undefined,
  targets: readonly MountTarget[],
): Promise<void> {
  makeRootFolder(folder, root);
  const made = new Map<BytePath, PlaceStat | undefined>();
  for (const target of targets) {
    const parts = target.path.split('/');
    const names = target.type === 'directory' ? parts : parts.slice(0, -1);
    let path = '';
    for (const name of names) {
      path = joinPath(path, name);
      if (made.has(path)) continue;
      made.set(path, await makeLike(folder, path, image));
    }
    // A target inside a target that is a file is the caller's mistake, and fails here.
    if (target.type === 'file') writeFileSync(within(folder, target.path), '', { mode: 0o644 });
    else if (target.type === 'symlink') symlinkSync(target.target, within(folder, target.path));
  }
  // Deepest first, since making what is inside changes a folder's time.
  for (const [path, stat] of [...made].reverse()) {
    if (stat === undefined) continue;
    const time = fileTime(stat.mtimeMs / 1000);
    utimesSync(within(folder, path), time, time);
  }
}

/** Makes a folder as the image has it. Gives what the image has, where that is a folder. */
async function makeLike(
  folder: string,
  path: BytePath,
  image: StackReader | undefined,
): Promise<PlaceStat | undefined> {
  const native = within(folder, path);
  mkdirSync(native, PLAIN_MODE);
  const stat = await image?.lookup(path);
  const isFolder = stat !== undefined && (stat.mode & S_IFMT) === FILE_TYPES.directory;
  if (isFolder) chownSync(native, stat.uid, stat.gid);
  chmodSync(native, isFolder ? stat.mode & 0o7777 : PLAIN_MODE);
  return isFolder ? stat : undefined;
}

/**
 * Clears from an upper layer what would stand over mount targets: anything but folders on the way to them, and anything
 * of another type in their place. A container that ran with other targets has left that.
 */
export async function clearTargets(upper: string, targets: readonly MountTarget[]): Promise<void> {
  for (const { path, type } of targets) {
    if (type === 'symlink') continue;
    const parts = path.split('/');
    for (let count = 1; count <= parts.length; count++) {
      const native = within(upper, parts.slice(0, count).join('/'));
      const stat = lstatSync(native, { throwIfNoEntry: false });
      if (stat === undefined) break;
      const wanted = count === parts.length && type === 'file' ? FILE_TYPES.file : FILE_TYPES.directory;
      const found = stat.mode & S_IFMT;
      if (found === wanted) continue;
      if (found === FILE_TYPES.directory) await removeFolder(upper, native);
      else unlinkSync(native);
      break;
    }
  }
}

/** By a name that `rm` can be given, whatever bytes the folder's own has. */
async function removeFolder(upper: string, folder: string | Buffer): Promise<void> {
  const aside = `${upper}-${randomBytes(6).toString('hex')}`;
  renameSync(folder, aside);
  await removeTrees([aside]);
}

function within(folder: string, path: BytePath): string | Buffer {
  return nativePath(`${Buffer.from(folder).toString('latin1')}/${path}`);
}
