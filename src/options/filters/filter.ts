/**
 * The room of `--filter`: its values by key, and what Docker matches them with. The listings and prune commands of
 * containers, images, volumes, networks and builds call it; which keys there are is theirs. It throws where a value
 * cannot be one of its key's.
 *
 *     const filters = parseFilters(['name=^web', 'dangling=true'], ['dangling', 'name']);
 *     const isDangling = booleanOfFilter(filters, 'dangling');
 *     const fits = matchesPattern(filters.get('name'), 'web-1');
 */

import { OcitsError } from '../../errors.ts';
import { parseBoolean } from '../boolean.ts';
import { splitPair } from '../pair.ts';
import { parseTime } from '../time.ts';

/** A value of `--filter`. */
export interface Filter<K extends string = string> {
  readonly key: K;
  readonly value: string;
}

/** All values of `--filter` by their keys; only those keys are there that were given. */
export type Filters<K extends string = string> = ReadonlyMap<K, readonly string[]>;

/** Reads `key=value`, with one of `keys`. Throws `invalid-argument`, with the keys that there are. */
export function parseFilter<const K extends string>(text: string, keys: readonly K[]): Filter<K> {
  const [name, value] = splitPair(text);
  const key = keys.find((each) => each === name.trim().toLowerCase());
  if (key !== undefined && value !== undefined) return { key, value: value.trim() };
  const [last, ...others] = keys.toReversed();
  const listed =
    others.length === 0 ? `the key is ${last}` : `the keys are ${others.toReversed().join(', ')} and ${last}`;
  throw new OcitsError('invalid-argument', `invalid filter ${JSON.stringify(text)}`, {
    hint: `write key=value; ${listed}`,
  });
}

/** Reads all values of `--filter`. An empty one is none, as in Docker. Throws as `parseFilter`. */
export function parseFilters<const K extends string>(
  texts: readonly string[],
  keys: readonly K[],
): Filters<K> {
  const filters = new Map<K, string[]>();
  for (const text of texts) {
    if (text === '') continue;
    const { key, value } = parseFilter(text, keys);
    filters.set(key, [...(filters.get(key) ?? []), value]);
  }
  return filters;
}

/** The error for a value that a key cannot have. `wanted` follows "it is": `a whole number`. */
export function invalidValue({ key, value }: Filter, wanted: string): OcitsError {
  return new OcitsError('invalid-argument', `invalid filter ${JSON.stringify(`${key}=${value}`)}`, {
    hint: `${key} is ${wanted}`,
  });
}

/** What a filter such as `dangling=true` says; undefined where it is not given. Throws where two contradict each other. */
export function booleanOfFilter<K extends string>(filters: Filters<K>, key: K): boolean | undefined {
  const values = filters.get(key)?.map((value) => {
    const parsed = parseBoolean(value);
    if (parsed === undefined) throw invalidValue({ key, value }, 'true or false');
    return parsed;
  });
  if (values === undefined) return undefined;
  if (new Set(values).size > 1) throw invalidValue({ key, value: values.join() }, 'true or false, not both');
  return values[0];
}

/** The time that a filter such as `until=24h` names. Throws `invalid-argument`. */
export function timeOfFilter({ key, value }: Filter, now: Date = new Date()): Date {
  const time = parseTime(value, now);
  if (time !== undefined) return time;
  throw new OcitsError(
    'invalid-argument',
    `--filter ${key}: ${JSON.stringify(value)} is neither a time nor a duration such as 10m`,
  );
}

/** The time of `until`; undefined where it is not given. Throws where it is given twice: Docker takes one. */
export function untilOfFilters<K extends string>(
  filters: Filters<K | 'until'>,
  now: Date = new Date(),
): Date | undefined {
  const values = filters.get('until');
  if (values === undefined) return undefined;
  if (values.length > 1) {
    throw new OcitsError('invalid-argument', 'more than one until filter specified');
  }
  return timeOfFilter({ key: 'until', value: values[0]! }, now);
}
