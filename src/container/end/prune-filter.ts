import { OcitsError } from '../../errors.ts';
import { matchesLabel } from '../../options/match-label.ts';
import { parseTime } from '../../options/time.ts';
import type { ContainerRecord } from '../record/record.ts';

export type PruneFilter = (record: ContainerRecord) => boolean;

/** Reads a value of `container prune --filter`: `until=TIME`, `label=…`, `label!=…`. Throws `invalid-argument`. */
export function parsePruneFilter(text: string, now: Date = new Date()): PruneFilter {
  const [, key, value] = /^(until|label!?)=(.*)$/s.exec(text) ?? [];
  if (value === undefined) {
    throw new OcitsError('invalid-argument', `invalid filter ${JSON.stringify(text)}`, {
      hint: 'write until=24h, label=name or label!=name',
    });
  }
  if (key === 'until') {
    const limit = parseTime(value, '--filter until', now);
    return ({ createdAt }) => new Date(createdAt) < limit;
  }
  return ({ labels }) => matchesLabel(labels, value) === (key === 'label');
}
