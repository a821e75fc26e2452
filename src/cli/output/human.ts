const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;
const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** A size as Docker prints it, decimal with three significant digits: `1.09GB`, `0B`. */
export function humanSize(bytes: number, digits = 3): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${trimNumber(value, digits)}${UNITS[unit]}`;
}

/** Labels as Docker lists them: `a=1,b=2`. */
export function labelsText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(',');
}

/** A size in powers of 1024, as Docker prints memory: `7.656GiB`. */
export function binarySize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${trimNumber(value, 4)}${BINARY_UNITS[unit]}`;
}

function trimNumber(value: number, digits: number): string {
  return Number(value.toPrecision(digits)).toString();
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration as Docker prints it: `About an hour`, `3 days`, `Less than a second`. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / SECOND);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(milliseconds / MINUTE);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.round(milliseconds / HOUR);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  const days = Math.floor(milliseconds / DAY);
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}

/** How long ago `date` was, as Docker prints it; `N/A` for a time that is not set. */
export function humanAge(date: Date | undefined, now: Date = new Date()): string {
  if (date === undefined || Number.isNaN(date.getTime()) || date.getTime() <= 0) return 'N/A';
  return `${humanDuration(Math.max(now.getTime() - date.getTime(), 0))} ago`;
}
