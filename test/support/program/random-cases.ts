/**
 * Settings of fast-check for a property. Each run tries the same cases, so that it says what the run before said, and
 * `FAST_CHECK_SEED=N` tries others. A failure prints the seed, the path and the smallest case that shows it.
 */
export const RANDOM_CASES = { seed: Number(process.env['FAST_CHECK_SEED'] ?? 1) } as const;
