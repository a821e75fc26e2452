import { parseDurationNs } from './duration.ts';

/**
 * Reads a point in time: RFC 3339 (also a date alone), seconds since 1970, or how long ago, such as `10m`, `1h30m` or
 * `7d`. Undefined where the text is none.
 */
export function parseTime(text: string, now: Date = new Date()): Date | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return new Date(Number(text) * 1000);
  const agoNs = parseDurationNs(text, { withDays: true });
  if (agoNs !== undefined) return agoNs < 0 ? undefined : new Date(now.getTime() - agoNs / 1e6);
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time);
}
