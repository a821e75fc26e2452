/** A time for Node's calls. They take a negative number for the present time, but a negative text for what it says. */
export function fileTime(seconds: number): number | string {
  return seconds < 0 ? String(seconds) : seconds;
}
