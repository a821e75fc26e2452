import type { ErrorCode } from '../../../src/errors.ts';
import type { LayerSource } from '../../../src/layer/layer-change.ts';
import type { LayerLimits } from '../../../src/layer/layer-limits.ts';
import { hostileHeaders } from './hostile-headers.ts';
import { hostileNames } from './hostile-names.ts';
import { hostileStreams } from './hostile-streams.ts';

/** A layer that no honest tool makes, and what must come of it. */
export interface HostileTar {
  /** Unique; a file name. */
  readonly name: string;
  readonly compression?: LayerSource['compression'];
  readonly bytes: () => Buffer;
  /** What the reader makes of it: the code of its error, or all of it is passed on. */
  readonly reader: ErrorCode | 'ok';
  /** Reader limits under which this holds; the defaults are too big for a test. */
  readonly limits?: Partial<LayerLimits>;
  /** Paths that the reader passes on, in order, where that is the point. */
  readonly paths?: readonly string[];
}

/**
 * All of them. Whoever unpacks one whose `reader` is an error gets that error (unless it is for `limits`), and nothing
 * of the layer stays. Whoever unpacks one that is `ok` for the reader may refuse it, with an OcitsError, or unpack
 * it; in any case nothing outside the layer is made, changed, opened or removed: `OUTSIDE` and what is in it stay.
 */
export const HOSTILE_TARS: readonly HostileTar[] = [
  ...hostileNames(),
  ...hostileHeaders(),
  ...hostileStreams(),
];

/** Its name in testdata/layer/hostile, where it is small enough to be kept there. */
export function hostileFileName({ name, compression = 'none' }: HostileTar): string {
  return `${name}.tar${{ none: '', gzip: '.gz', zstd: '.zst' }[compression]}`;
}

/** Whether these bytes are small enough to be kept in the repository; the others are made when a test needs them. */
export function isKept(bytes: Buffer): boolean {
  return bytes.length <= 32 * 1024;
}
