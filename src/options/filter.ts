import { OcitsError } from '../errors.ts';
import { splitPair } from './pair.ts';
import { parseTime } from './time.ts';

/** A value of `--filter`. */
export interface Filter<K extends string = string> {
  readonly key: K;
  readonly value: string;
}

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

/** The time that a filter such as `until=24h` names. Throws `invalid-argument`. */
export function timeOfFilter({ key, value }: Filter, now: Date = new Date()): Date {
  const time = parseTime(value, now);
  if (time !== undefined) return time;
  throw new OcitsError(
    'invalid-argument',
    `--filter ${key}: ${JSON.stringify(value)} is neither a time nor a duration such as 10m`,
  );
}
