import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, OcitsError } from '../../errors.ts';
import { type Digest, digestHex } from '../../oci/digest.ts';
import { removeTrees } from '../../system/file/remove-tree.ts';
import type { HostPaths } from '../../system/paths.ts';
import type { RootFolder } from './layer-record.ts';

/**
 * The folder of everything that the snapshotter keeps, `$OCITS_ROOT/snapshots/overlay`:
 * `<hex>/fs` a layer's tree and `<hex>/record.json` what is known of it, `l/<name>` short links to trees,
 * `staging/<hex>` a layer that is being unpacked by whoever has its lock, `trash/` what waits for deletion,
 * `empty/` empty folders, `whiteout` the device of which whiteouts are links.
 */
export class SnapshotRoot {
  readonly folder: string;
  readonly storeRoot: string;
  readonly #locks: string;

  constructor(paths: HostPaths) {
    this.storeRoot = paths.root;
    this.folder = join(paths.root, 'snapshots/overlay');
    this.#locks = join(paths.run, 'locks/snapshots-overlay');
  }

  get whiteoutDevice(): string {
    return join(this.folder, 'whiteout');
  }

  get staging(): string {
    return join(this.folder, 'staging');
  }

  get trash(): string {
    return join(this.folder, 'trash');
  }

  layer(key: Digest): string {
    return join(this.folder, digestHex(key));
  }

  tree(key: Digest): string {
    return join(this.layer(key), 'fs');
  }

  /** Held by whoever unpacks the layer, in any stack. */
  lock(diffIdHex: string): string {
    return join(this.#locks, diffIdHex);
  }

  /** Makes the folders, closed to other users, where they are missing. */
  make(): void {
    for (const name of ['l', 'staging', 'trash', 'empty']) {
      mkdirSync(join(this.folder, name), { recursive: true, mode: 0o700 });
    }
  }

  /** The short name of a layer's tree, relative to `folder`, made where it is missing: `l/1a2b3c4d`. */
  link(key: Digest): string {
    const hex = digestHex(key);
    const target = `../${hex}/fs`;
    for (let length = 8; length <= hex.length; length += 8) {
      const name = `l/${hex.slice(0, length)}`;
      if (linkTo(join(this.folder, name), target)) return name;
    }
    throw new OcitsError('internal', `no free short link for the layer ${key}`);
  }

  /**
   * A folder that is always empty, with the owner and mode that the root of a tree shall have; relative to `folder`.
   * `number` tells several apart, since overlayfs takes none twice.
   */
  emptyFolder(number: number, root: RootFolder): string {
    const name = `empty/${root.mode.toString(8)}-${root.uid}-${root.gid}-${number}`;
    makeRootFolder(join(this.folder, name), root);
    return name;
  }

  /** Takes a folder out of sight at once, and gives its name among what waits for deletion; undefined: it is not there. */
  async discard(path: string): Promise<string | undefined> {
    const name = join(this.trash, randomBytes(8).toString('hex'));
    try {
      await rename(path, name);
      return name;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** Deletes what `discard` has put away. */
  async delete(discarded: string | undefined): Promise<void> {
    if (discarded !== undefined) await removeTrees([discarded]);
  }
}

/**
 * Makes a folder where it is missing, and gives it an owner and mode in any case, since a killed process may have made it
 * and no more. Another process may do the same at the same time.
 */
export function makeRootFolder(path: string, { mode, uid, gid }: RootFolder): void {
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
  chownSync(path, uid, gid);
  chmodSync(path, mode);
}

/** False where the name leads elsewhere. */
function linkTo(path: string, target: string): boolean {
  try {
    symlinkSync(target, path);
    return true;
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    return readlinkSync(path) === target;
  }
}
