import { OcitsError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';

export interface CompressOptions {
  readonly format: 'gzip' | 'zstd';
  /** The default is 6 for gzip, 3 for zstd. */
  readonly level?: number;
  readonly signal?: AbortSignal;
  /** Called now and then with all uncompressed bytes so far. */
  readonly onBytes?: (uncompressedBytes: number) => void;
}

export interface CompressedLayer {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/**
 * Compresses the uncompressed tar at `sourcePath` into a new file at `targetPath`, on all cores, in constant memory.
 * The same input, format and level give the same bytes whatever the number of cores. Not fsynced. A failure
 * deletes the target.
 */
export async function compressLayer(
  _sourcePath: string,
  _targetPath: string,
  _options: CompressOptions,
): Promise<CompressedLayer> {
  throw new OcitsError('unsupported', 'compressing is not there yet');
}
