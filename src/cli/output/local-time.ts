const MINUTE_MS = 60_000;

/** A time as Go prints it, in the zone of this process: `2024-01-02 03:04:05 +0000 UTC`. */
export function goTimeText(date: Date): string {
  const [day, time] = localParts(date);
  return `${day} ${time} ${offsetText(date, '')} ${zoneName(date)}`;
}

/** A time in RFC 3339 with whole seconds, in the zone of this process: `2024-01-02T03:04:05Z`. */
export function rfc3339Text(date: Date): string {
  const [day, time] = localParts(date);
  return `${day}T${time}${date.getTimezoneOffset() === 0 ? 'Z' : offsetText(date, ':')}`;
}

function localParts(date: Date): readonly [day: string, time: string] {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * MINUTE_MS).toISOString();
  return [local.slice(0, local.indexOf('T')), local.slice(local.indexOf('T') + 1, local.lastIndexOf('.'))];
}

function offsetText(date: Date, separator: string): string {
  const minutes = -date.getTimezoneOffset();
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `${minutes < 0 ? '-' : '+'}${twoDigits(hours)}${separator}${twoDigits(rest)}`;
}

/** Locales know the short names of the zones where they are spoken alone. */
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-IN', 'en-ZA', 'en-NZ'];

/** The zone's short name, such as `CET`; for one that has none the offset, as the zone database of Unix has it: `+03`. */
function zoneName(date: Date): string {
  // The names of zones are slow to load, and most servers have this one.
  if (date.getTimezoneOffset() === 0 && /^(UTC|Etc\/UTC)?$/.test(process.env['TZ'] ?? '')) return 'UTC';
  for (const locale of LOCALES) {
    const parts = new Intl.DateTimeFormat(locale, { timeZoneName: 'short' }).formatToParts(date);
    const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
    if (/^[A-Z]{2,5}$/.test(name)) return name;
  }
  return offsetText(date, '').replace(/00$/, '');
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
