import type { Digest } from '../oci/digest.ts';
import type { BuildCache, StepRecord } from './build-cache.ts';

export interface PrunedCache {
  readonly keys: readonly Digest[];
  readonly records: readonly StepRecord[];
  /** Of the layers that the records named, uncompressed; what an image still has stays. */
  readonly layerBytes: number;
}

/**
 * Forgets the records of the build cache that were last used before `until` (all without it), but for those that
 * `isKept` names. Their layers go with the next collection.
 */
export async function pruneBuildCache(
  cache: BuildCache,
  until?: Date,
  isKept: (record: StepRecord) => boolean = () => false,
): Promise<PrunedCache> {
  const records: StepRecord[] = [];
  let layerBytes = 0;
  for await (const { record, lastUsedAt } of cache.list()) {
    if ((until !== undefined && lastUsedAt >= until) || isKept(record)) continue;
    await cache.delete(record.key);
    records.push(record);
    layerBytes += record.layer?.sizeBytes ?? 0;
  }
  return { keys: records.map(({ key }) => key), records, layerBytes };
}
