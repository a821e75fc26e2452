/** What a layer may ask for before the reader calls it hostile. */
export interface LayerLimits {
  /** Entries of one layer, markers and skipped ones included. */
  readonly maxEntries: number;
  /** The size of one file (with its holes), and of the whole uncompressed layer. */
  readonly maxBytes: number;
  /** How many times its compressed size a layer may grow to, once it is over `ratioFloorBytes`. */
  readonly maxRatio: number;
  readonly ratioFloorBytes: number;
  /** How many bytes an entry has in a compressed layer, on average, once there are more than `entriesFloor`. */
  readonly minEntryBytes: number;
  readonly entriesFloor: number;
}

/**
 * Honest layers reach a ratio of about 10. Deflate ends near 1,030, so zeros that a database has preallocated
 * would pass for a bomb; the floor lets them through up to 1 GiB.
 *
 * Honest layers of many files have 40 compressed bytes an entry and more, empty files with counted names 6 to 14. To
 * unpack a million of those takes minutes on a busy host, for a few megabytes fetched.
 */
export const DEFAULT_LIMITS: LayerLimits = {
  maxEntries: 10_000_000,
  maxBytes: 2 ** 40,
  maxRatio: 200,
  ratioFloorBytes: 2 ** 30,
  minEntryBytes: 16,
  entriesFloor: 100_000,
};

/** tar has no limit for these; a path longer than Linux takes cannot be made, and a header this big is an attack. */
export const MAX_PATH_BYTES = 4096;
export const MAX_NAME_BYTES = 255;
export const MAX_LONG_NAME_BYTES = 64 * 1024;
export const MAX_PAX_BYTES = 1024 * 1024;
export const MAX_SPARSE_MAP_BYTES = 1024 * 1024;
