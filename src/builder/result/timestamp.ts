/** RFC 3339 in UTC, without a fraction of zeros, as Go writes it. */
export function timestamp(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('.000Z', 'Z');
}
