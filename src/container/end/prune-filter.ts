import { parseFilters, untilOfFilters } from '../../options/filters/filter.ts';
import { matchesLabelFilters } from '../../options/filters/match-label.ts';
import type { ContainerRecord } from '../record/record.ts';

/**
 * Reads the values of `container prune --filter`: `until=TIME`, `label=…`, `label!=…`. Gives whether a container is to
 * go. Throws `invalid-argument`.
 */
export function parsePruneFilter(
  texts: readonly string[],
  now: Date = new Date(),
): (record: ContainerRecord) => boolean {
  const filters = parseFilters(texts, ['label', 'label!', 'until']);
  const until = untilOfFilters(filters, now);
  return ({ labels, createdAt }) =>
    matchesLabelFilters(labels, filters) && (until === undefined || new Date(createdAt) < until);
}
