import type { Digest } from '../oci/digest.ts';
import type { BuildCache } from './build-cache.ts';

export interface PrunedCache {
  readonly keys: readonly Digest[];
  /** Of the layers that the records named, uncompressed; what an image still has stays. */
  readonly layerBytes: number;
}

/** Forgets the records of the build cache that were last used before `until` (all without it). Their layers go with the next collection. */
export async function pruneBuildCache(cache: BuildCache, until?: Date): Promise<PrunedCache> {
  const keys: Digest[] = [];
  let layerBytes = 0;
  for await (const { record, lastUsedAt } of cache.list()) {
    if (until !== undefined && lastUsedAt >= until) continue;
    await cache.delete(record.key);
    keys.push(record.key);
    layerBytes += record.layer?.sizeBytes ?? 0;
  }
  return { keys, layerBytes };
}
