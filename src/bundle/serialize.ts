import type { RuntimeProcess, RuntimeSpec } from './runtime-spec.ts';

/** RLIM_INFINITY: more digits than a JavaScript number holds. */
const UNLIMITED = '18446744073709551615';

/** JSON text for the runtime: an infinite limit becomes the largest unsigned 64-bit number. */
export function serializeConfig(config: RuntimeSpec | RuntimeProcess): string {
  const { rawJSON } = JSON as typeof JSON & { rawJSON(text: string): unknown };
  return JSON.stringify(config, (_key, value: unknown) =>
    value === Number.POSITIVE_INFINITY ? rawJSON(UNLIMITED) : value,
  );
}
