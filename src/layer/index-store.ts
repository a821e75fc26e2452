import { OcitsError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { LayerIndex } from './layer-index.ts';

/** The layer indexes below `$OCITS_ROOT/indexes/`, by diffID. A cache: any of them can be made again from its layer. */
export interface IndexStore {
  /** Undefined where there is none, or one that is damaged or of another version. */
  get(diffId: Digest): Promise<LayerIndex | undefined>;
  /** Stores the bytes that a LayerIndexBuilder gave; atomic, and again is no harm. */
  put(diffId: Digest, bytes: Uint8Array): Promise<void>;
  delete(diffId: Digest): Promise<void>;
  list(): AsyncIterable<Digest>;
}

/** `root` is `$OCITS_ROOT`; folders are made as needed. */
export function openIndexStore(_root: string): IndexStore {
  throw new OcitsError('unsupported', 'the index store is not there yet');
}
