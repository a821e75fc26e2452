import { collectGarbage } from '../image/collect-garbage.ts';
import type { ImageHost } from '../image/image.ts';
import type { ImageHolders } from '../image/image-holders.ts';
import { markLive } from '../image/mark-live.ts';
import { warning } from '../progress.ts';
import { openBuildCache, type StepRecord } from './build-cache.ts';
import { removeCacheFolders } from './cache-mount.ts';
import { pruneBuildCache } from './prune-cache.ts';

export interface PruneBuilderOptions {
  /** All records, not just those whose layers no image has; without `unusedSince` the folders of cache mounts, too. */
  readonly isAll: boolean;
  /** Only records that were not used since. */
  readonly unusedSince?: Date;
  /** All that needs content, the build cache itself among it. */
  readonly holders: ImageHolders;
  readonly signal?: AbortSignal;
}

export interface PrunedBuilder {
  readonly records: readonly StepRecord[];
  readonly freedBytes: number;
}

/**
 * Forgets results of build steps, and deletes the layers that nothing needs then. Waits until no other command reads
 * or adds content.
 */
export async function pruneBuilder(host: ImageHost, options: PruneBuilderOptions): Promise<PrunedBuilder> {
  const { store, snapshotter, emit } = host;
  const onWait = () => emit(warning('waiting for other ocits commands that use the store'));
  await using _lease = await store.leases.exclusive(options.signal, onWait);
  const inImages = options.isAll ? undefined : (await markLive(store, [])).diffIds;
  const isKept = ({ layer }: StepRecord) => inImages?.has(layer.diffId) === true;
  const records = await pruneBuildCache(openBuildCache(store.paths.root), options.unusedSince, isKept);
  if (options.isAll && options.unusedSince === undefined) await removeCacheFolders(store.paths.root);
  const { freedBytes } = await collectGarbage(store, snapshotter, { roots: options.holders.roots });
  return { records, freedBytes };
}
