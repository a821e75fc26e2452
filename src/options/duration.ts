const UNITS_NS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const DAY_NS = 86_400e9;

interface DurationOptions {
  /** Whether there are days, as in `7d`, which Go does not know. */
  readonly withDays?: boolean | undefined;
}

/** Nanoseconds of a duration as Go writes it (`1h30m`, `2.5s`, `300ms`); undefined where it is none. */
export function parseDurationNs(
  text: string,
  { withDays = false }: DurationOptions = {},
): number | undefined {
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d))+|0)$/.exec(text);
  if (match === null || (!withDays && text.includes('d'))) return undefined;
  let total = 0;
  for (const [, value = '', unit = ''] of match[2]!.matchAll(/([\d.]+)([a-zµμ]+)/g)) {
    total += Number(value) * (UNITS_NS[unit] ?? DAY_NS);
  }
  return Math.round(match[1] === '-' ? -total : total);
}
