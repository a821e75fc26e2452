import { parseFilter, timeOfFilter } from '../../options/filter.ts';
import { matchesLabel } from '../../options/match-label.ts';
import type { ContainerRecord } from '../record/record.ts';

export type PruneFilter = (record: ContainerRecord) => boolean;

/** Reads a value of `container prune --filter`: `until=TIME`, `label=…`, `label!=…`. Throws `invalid-argument`. */
export function parsePruneFilter(text: string, now: Date = new Date()): PruneFilter {
  const filter = parseFilter(text, ['label', 'label!', 'until']);
  const { key, value } = filter;
  if (key === 'until') {
    const limit = timeOfFilter(filter, now);
    return ({ createdAt }) => new Date(createdAt) < limit;
  }
  return ({ labels }) => matchesLabel(labels, value) === (key === 'label');
}
