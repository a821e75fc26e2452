import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../errors.ts';
import { type Digest, digestHex } from '../../oci/digest.ts';
import { removeTrees } from '../../system/file/remove-tree.ts';
import type { HostPaths } from '../../system/paths.ts';
import type { RootFolder } from './layer-record.ts';

/**
 * The folder of everything that the snapshotter keeps, `$OCITS_ROOT/snapshots/<name>`: `<hex>/` a layer, with
 * `record.json` and what its form makes of it, `staging/<hex>` a layer that is being made by whoever has its lock,
 * `trash/` what waits for deletion, `empty/` empty folders. A form may keep things of its own beside them.
 */
export class SnapshotRoot {
  readonly folder: string;
  readonly storeRoot: string;
  readonly #locks: string;

  /** `name`: the snapshotter's. */
  constructor(paths: HostPaths, name: string) {
    this.storeRoot = paths.root;
    this.folder = join(paths.root, 'snapshots', name);
    this.#locks = join(paths.run, `locks/snapshots-${name}`);
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

  /** Held by whoever unpacks the layer, in any stack. */
  lock(diffIdHex: string): string {
    return join(this.#locks, diffIdHex);
  }

  /** Makes the folders, closed to other users, where they are missing. */
  make(): void {
    for (const name of ['staging', 'trash', 'empty']) {
      mkdirSync(join(this.folder, name), { recursive: true, mode: 0o700 });
    }
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
