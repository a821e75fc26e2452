/** A time for Node's calls, which take negative numbers for the present, but negative texts for what they say. */
export function fileTime(seconds: number): number | string {
  return seconds < 0 ? String(seconds) : seconds;
}
