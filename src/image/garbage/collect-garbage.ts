/**
 * The room of what can go: removal of images, pruning, the collection of garbage, disk usage and the check of the
 * store. Commands and `library` call it, and `builder prune` collects through it. What containers and the build cache
 * need is handed in as roots; this room knows neither. It deletes content only under the exclusive lease.
 *
 *     const removals = await removeImage(engine, call, 'app:1', { isForced: true });
 *     const { freedBytes } = await pruneImages(engine, call, { isAll: true });
 */

import { openIndexStore } from '../../layer/index/index-store.ts';
import type { Digest } from '../../oci/digest.ts';
import { canCleanUp, type Snapshotter } from '../../snapshotter/snapshotter.ts';
import { cleanPartials } from '../../store/clean-partials.ts';
import type { RootSource } from '../../store/content-roots.ts';
import type { Store } from '../../store/store.ts';
import { type LiveSet, markLive } from './mark-live.ts';

export interface CollectOptions {
  /** What containers and the build cache need. */
  readonly roots: readonly RootSource[];
  /** Deletes nothing else than what is in here; the default is all that nobody needs. */
  readonly only?: LiveSet | undefined;
  /** Downloads that stopped longer ago than this are given up; the default is a week. */
  readonly partialAgeMs?: number | undefined;
}

export interface Collected {
  readonly blobs: readonly Digest[];
  /** The diffIDs or chainIDs of unpacked layers. */
  readonly snapshots: readonly Digest[];
  readonly freedBytes: number;
  /** What is still needed. */
  readonly live: LiveSet;
}

const WEEK_MS = 7 * 24 * 3600 * 1000;

/**
 * Deletes blobs, layer indexes, snapshots and records of compressed forms that nothing needs, and old partial
 * downloads. The caller holds the exclusive lease, under which nobody reads or adds content.
 */
export async function collectGarbage(
  store: Store,
  snapshotter: Snapshotter,
  options: CollectOptions,
): Promise<Collected> {
  const live = await markLive(store, options.roots);
  const { only } = options;
  const snapshots = await sweepSnapshots(snapshotter, live, only);
  await sweepIndexes(store, live, only);
  for (const diffId of await store.compressed.diffIds()) {
    if (isGarbage(diffId, live.diffIds, only?.diffIds)) await store.compressed.delete(diffId);
  }
  const blobs = await sweepBlobs(store, live, only);
  let partialBytes = 0;
  if (only === undefined) {
    partialBytes = await cleanPartials(store.paths, options.partialAgeMs ?? WEEK_MS);
    await store.origins.prune(live.blobs);
    if (canCleanUp(snapshotter)) await snapshotter.cleanup();
  }
  return {
    blobs: blobs.deleted,
    snapshots: snapshots.deleted,
    freedBytes: blobs.freedBytes + snapshots.freedBytes + partialBytes,
    live,
  };
}

interface Swept {
  readonly deleted: readonly Digest[];
  readonly freedBytes: number;
}

async function sweepBlobs(store: Store, live: LiveSet, only: LiveSet | undefined): Promise<Swept> {
  const deleted: Digest[] = [];
  let freedBytes = 0;
  for await (const { digest, sizeBytes } of store.blobs.list()) {
    if (!isGarbage(digest, live.blobs, only?.blobs)) continue;
    await store.blobs.delete(digest);
    deleted.push(digest);
    freedBytes += sizeBytes;
  }
  return { deleted, freedBytes };
}

/** A snapshot is keyed by its diffID, or by its chainID where it leans on what lies below. */
async function sweepSnapshots(
  snapshotter: Snapshotter,
  live: LiveSet,
  only: LiveSet | undefined,
): Promise<Swept> {
  const deleted: Digest[] = [];
  let freedBytes = 0;
  for await (const { key, sizeBytes } of snapshotter.list()) {
    const isLive = live.diffIds.has(key) || live.chainIds.has(key);
    const isOther = only !== undefined && !only.diffIds.has(key) && !only.chainIds.has(key);
    if (isLive || isOther) continue;
    await snapshotter.remove(key);
    deleted.push(key);
    freedBytes += sizeBytes;
  }
  return { deleted, freedBytes };
}

async function sweepIndexes(store: Store, live: LiveSet, only: LiveSet | undefined): Promise<void> {
  const indexes = openIndexStore(store.paths.root);
  for await (const diffId of indexes.list()) {
    if (isGarbage(diffId, live.diffIds, only?.diffIds)) await indexes.delete(diffId);
  }
}

function isGarbage(
  digest: Digest,
  live: ReadonlySet<Digest>,
  only: ReadonlySet<Digest> | undefined,
): boolean {
  return !live.has(digest) && (only === undefined || only.has(digest));
}
