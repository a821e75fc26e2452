import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LayerSource } from '../../../src/layer/layer-change.ts';
import { type Digest, digestHex, digestOf } from '../../../src/oci/digest.ts';
import type { ApplyRequest, SnapshotKey, Snapshotter } from '../../../src/snapshotter/snapshotter.ts';
import { removeTrees } from '../../../src/system/file/remove-tree.ts';
import type { HostPaths } from '../../../src/system/paths.ts';

export type SnapshotterFactory<S extends Snapshotter = Snapshotter> = (paths: HostPaths) => S;

/** A stack that has been applied, lowest layer first. */
export interface AppliedStack {
  readonly keys: readonly SnapshotKey[];
  readonly diffIds: readonly Digest[];
}

/** A snapshotter with folders of its own, which go with it. */
export interface TemporarySnapshotter<S extends Snapshotter = Snapshotter> extends AsyncDisposable {
  readonly snapshotter: S;
  readonly paths: HostPaths;
  /** A fresh name on the snapshotter's file system, for an active snapshot or a file. */
  name(): string;
  /** An uncompressed tar as a layer. */
  source(tar: Buffer): LayerSource;
  /** Applies tars on each other, at once, as a pull does. */
  stack(tars: readonly Buffer[], more?: Partial<ApplyRequest>): Promise<AppliedStack>;
}

export async function temporarySnapshotter<S extends Snapshotter>(
  factory: SnapshotterFactory<S>,
): Promise<TemporarySnapshotter<S>> {
  const folder = await mkdtemp(join(tmpdir(), 'ocits-snapshots-'));
  const paths = { root: join(folder, 'root'), run: join(folder, 'run') };
  mkdirSync(join(paths.root, 'containers'), { recursive: true });
  const snapshotter = factory(paths);
  let count = 0;
  const source = (tar: Buffer): LayerSource => {
    const path = join(folder, digestHex(digestOf(tar)));
    writeFileSync(path, tar);
    return { path, compression: 'none', sizeBytes: statSync(path).size };
  };
  return {
    snapshotter,
    paths,
    name: () => join(paths.root, 'containers', `${count++}`),
    source,
    stack: async (tars, more) => {
      const diffIds = tars.map((tar) => digestOf(tar));
      const keys: Promise<SnapshotKey>[] = [];
      for (const [position, tar] of tars.entries()) {
        const request = {
          parents: [...keys],
          diffIds: diffIds.slice(0, position + 1),
          source: source(tar),
          ...more,
        };
        keys.push(snapshotter.apply(request));
      }
      const settled = await Promise.allSettled(keys);
      const failed = settled.find((result) => result.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      return { keys: await Promise.all(keys), diffIds };
    },
    [Symbol.asyncDispose]: async () => {
      await snapshotter[Symbol.asyncDispose]();
      await removeTrees([folder]);
    },
  };
}
