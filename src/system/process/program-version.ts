/** The oldest crun that ocits is tested with. */
export const LEAST_CRUN_VERSION = '1.8';

/** Whether a dotted version is `least` or newer. */
export function isAtLeast(version: string, least: string): boolean {
  const [have, want] = [version, least].map((text) => text.split('.').map(Number));
  for (const [index, wanted] of want!.entries()) {
    const part = have![index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}
