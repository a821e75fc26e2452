import type { BuildCache, StepRecord } from './build-cache.ts';

/**
 * Forgets the records of the build cache that were last used before `until` (all without it), but for those that
 * `isKept` names, and returns them. Their layers go with the next collection.
 */
export async function pruneBuildCache(
  cache: BuildCache,
  until?: Date,
  isKept: (record: StepRecord) => boolean = () => false,
): Promise<readonly StepRecord[]> {
  const records: StepRecord[] = [];
  for await (const { record, lastUsedAt } of cache.list()) {
    if ((until !== undefined && lastUsedAt >= until) || isKept(record)) continue;
    await cache.delete(record.key);
    records.push(record);
  }
  return records;
}
