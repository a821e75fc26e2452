import { OcitsError } from '../errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Reads a point in time as `logs --since` takes it: RFC 3339 (also a date alone), seconds since 1970, or how long ago,
 * such as `10m` or `1h30m`. Throws `invalid-argument`.
 */
export function parseTime(text: string, flag: string, now: Date = new Date()): Date {
  if (/^\d+(\.\d+)?$/.test(text)) return new Date(Number(text) * 1000);
  const ago = durationMs(text);
  if (ago !== undefined) return new Date(now.getTime() - ago);
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time);
  throw new OcitsError(
    'invalid-argument',
    `${flag}: ${JSON.stringify(text)} is neither a time nor a duration such as 10m`,
  );
}

/** Go's durations, such as `1h30m`; undefined for what is none. */
function durationMs(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    total += Number(number) * UNIT_MS[unit!]!;
  return total;
}
