import type { Call } from '../call.ts';
import type { Engine } from '../engine.ts';
import { collectGarbage } from '../image/garbage/collect-garbage.ts';
import { markLive } from '../image/garbage/mark-live.ts';
import { warning } from '../progress.ts';
import type { Store } from '../store/store.ts';
import { sweepBuilds } from './job/sweep-builds.ts';
import { removeCacheFolders } from './run/cache-mount.ts';
import { openBuildCache, type StepRecord } from './solve/build-cache.ts';

export interface PruneBuilderOptions {
  /** All records, not just those whose layers no image has; without `unusedSince` the folders of cache mounts, too. */
  readonly isAll: boolean;
  /** Only records that were not used since. */
  readonly unusedSince?: Date | undefined;
  /** All that needs content, including the build cache itself. */
}

export interface PrunedBuilder {
  readonly records: readonly StepRecord[];
  readonly freedBytes: number;
}

/**
 * Clears away builds that were killed, forgets results of build steps, and deletes the layers that nothing needs then.
 * Waits until no other command reads or adds content.
 */
export async function pruneBuilder(
  engine: Engine,
  call: Call,
  options: PruneBuilderOptions,
): Promise<PrunedBuilder> {
  const store = await engine.store();
  const onWait = () => call.emit(warning('waiting for other ocits commands that use the store'));
  await using _lease = await store.leases.exclusive(call.signal, onWait);
  // The command of a build that was killed may still write to a cache mount.
  await sweepBuilds(engine);
  const records = await forgetSteps(store, options);
  if (options.isAll && options.unusedSince === undefined) await removeCacheFolders(store.paths.root);
  const { roots } = await engine.contentRoots();
  const { freedBytes } = await collectGarbage(store, await engine.snapshotter(), { roots });
  return { records, freedBytes };
}

/** Under the exclusive lease, so that no build takes a record for a hit meanwhile. */
async function forgetSteps(
  store: Store,
  { isAll, unusedSince }: PruneBuilderOptions,
): Promise<readonly StepRecord[]> {
  const cache = openBuildCache(store.paths.root);
  const inImages = isAll ? undefined : (await markLive(store, [])).diffIds;
  const forgotten: StepRecord[] = [];
  for await (const { record, lastUsedAt } of cache.list()) {
    if (unusedSince !== undefined && lastUsedAt >= unusedSince) continue;
    if (inImages?.has(record.layer.diffId)) continue;
    await cache.delete(record.key);
    forgotten.push(record);
  }
  return forgotten;
}
