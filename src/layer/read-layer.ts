import { OcitsError } from '../errors.ts';
import type { Digest, DigestAlgorithm } from '../oci/digest.ts';
import type { LayerSource } from './layer-change.ts';
import type { LayerLimits } from './layer-limits.ts';
import type { LayerVisitor } from './layer-visitor.ts';

export interface ReadLayerOptions {
  /** How the uncompressed stream is hashed; the default is sha256. */
  readonly algorithm?: DigestAlgorithm;
  readonly limits?: Partial<LayerLimits>;
  readonly signal?: AbortSignal;
  /** Called now and then with all uncompressed bytes so far. */
  readonly onBytes?: (uncompressedBytes: number) => void;
  readonly onWarning?: (text: string) => void;
}

export interface ReadLayerResult {
  /** Of the whole uncompressed stream, with whatever follows the archive's end. The caller compares it. */
  readonly diffId: Digest;
  readonly sizeBytes: number;
  readonly entries: number;
}

/**
 * Decompresses and reads the layer at `source.path`, and calls `visitor` for all that is in it. Memory stays bounded
 * whatever the layer's size, and the visitor's synchronous work holds the stream back. Made for a worker thread.
 *
 * Throws `hostile` and `corrupt` (naming the entry), `unsupported` for entries of an unknown type, `aborted`, and
 * what the visitor throws. What the visitor made until then is the caller's to delete.
 */
export async function readLayer(
  _source: LayerSource,
  _visitor: LayerVisitor,
  _options: ReadLayerOptions = {},
): Promise<ReadLayerResult> {
  throw new OcitsError('unsupported', 'readLayer is not there yet');
}
