import { OcitsError } from '../errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/;

/**
 * Reads a point in time as flags and filters take it: RFC 3339 (also a date alone), seconds since 1970, or how long
 * ago, such as `10m`, `1h30m` or `7d`. `flag` is for the message. Throws `invalid-argument`.
 */
export function parseTime(text: string, flag: string, now: Date = new Date()): Date {
  if (/^\d+(\.\d+)?$/.test(text)) return new Date(Number(text) * 1000);
  if (DURATION.test(text)) return new Date(now.getTime() - durationMs(text));
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time);
  throw new OcitsError(
    'invalid-argument',
    `${flag}: ${JSON.stringify(text)} is neither a time nor a duration such as 10m`,
  );
}

function durationMs(text: string): number {
  let total = 0;
  for (const [, number, unit] of text.matchAll(/([\d.]+)(ms|[smhd])/g))
    total += Number(number) * UNIT_MS[unit!]!;
  return total;
}
