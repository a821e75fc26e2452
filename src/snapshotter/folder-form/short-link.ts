import { existsSync, lstatSync, mkdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isErrno, OcitsError } from '../../errors.ts';
import { type Digest, digestHex } from '../../oci/digest.ts';
import { namesIfThereSync } from '../../system/file/if-there.ts';

const FOLDER = 'l';
const YOUNG_MS = 3_600_000;

/** The short name of a layer's tree, relative to `root`, made where it is missing: `l/1a2b3c4d`. */
export function makeShortLink(root: string, key: Digest): string {
  const hex = digestHex(key);
  const target = `../${hex}/fs`;
  for (let length = 8; length <= hex.length; length += 8) {
    const name = `${FOLDER}/${hex.slice(0, length)}`;
    if (linkTo(join(root, name), target)) return name;
  }
  throw new OcitsError('internal', `no free short link for the layer ${key}`);
}

/** Removes links to layers that are gone. A link is made before its layer has its name: only old ones are surely dead. */
export function removeDeadLinks(root: string): void {
  const folder = join(root, FOLDER);
  for (const name of namesIfThereSync(folder)) {
    const path = join(folder, name);
    const isYoung = Date.now() - lstatSync(path).mtimeMs < YOUNG_MS;
    if (!isYoung && !existsSync(path)) unlinkSync(path);
  }
}

/** False where the name leads elsewhere. */
function linkTo(path: string, target: string): boolean {
  try {
    symlinkSync(target, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      return linkTo(path, target);
    }
    if (!isErrno(error, 'EEXIST')) throw error;
    return readlinkSync(path) === target;
  }
}
