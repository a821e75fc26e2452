import { collectGarbage } from '../image/collect-garbage.ts';
import type { ImageHost } from '../image/image.ts';
import type { ImageHolders } from '../image/image-holders.ts';
import { markLive } from '../image/mark-live.ts';
import { warning } from '../progress.ts';
import { type CacheEntry, openBuildCache, type StepRecord } from './build-cache.ts';
import { removeCacheFolders } from './cache-mount.ts';

export interface CachePruneOptions {
  /** All records, not just those whose layers no image has; without `unusedSince` the folders of cache mounts, too. */
  readonly isAll: boolean;
  /** Only records that were not used since. */
  readonly unusedSince?: Date;
  /** All that needs content, the build cache itself among it. */
  readonly holders: ImageHolders;
  readonly signal?: AbortSignal;
}

export interface PrunedCache {
  readonly records: readonly StepRecord[];
  readonly freedBytes: number;
}

/**
 * Forgets results of build steps, and deletes the layers that nothing needs then. Waits until no other command reads
 * or adds content.
 */
export async function pruneBuildCache(host: ImageHost, options: CachePruneOptions): Promise<PrunedCache> {
  const { store, snapshotter, emit } = host;
  const onWait = () => emit(warning('waiting for other ocits commands that use the store'));
  await using _lease = await store.leases.exclusive(options.signal, onWait);
  const cache = openBuildCache(store.paths.root);
  const inImages = options.isAll ? undefined : (await markLive(store, [])).diffIds;
  const records: StepRecord[] = [];
  for await (const entry of cache.list()) {
    const { layer, key } = entry.record;
    if (isRecent(entry, options.unusedSince)) continue;
    if (inImages !== undefined && (layer === undefined || inImages.has(layer.diffId))) continue;
    await cache.delete(key);
    records.push(entry.record);
  }
  if (options.isAll && options.unusedSince === undefined) await removeCacheFolders(store.paths.root);
  const { freedBytes } = await collectGarbage(store, snapshotter, { roots: options.holders.roots });
  return { records, freedBytes };
}

function isRecent({ lastUsedAt }: CacheEntry, unusedSince: Date | undefined): boolean {
  return unusedSince !== undefined && lastUsedAt > unusedSince;
}
