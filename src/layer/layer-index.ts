import { OcitsError } from '../errors.ts';
import type { BytePath, LayerChange } from './layer-change.ts';

/**
 * A layer's changes without its file contents: `changes[i]`'s data lies at `dataOffset` of the uncompressed tar.
 * Whiteouts and opaque markers concern the layers below, never this one's own entries, wherever they stand.
 */
export interface LayerIndex {
  /** How many changes there are; in the order of the tar. */
  readonly count: number;
  at(position: number): LayerChange;
  /** The position of the last entry for `path` that is no whiteout or opaque marker, or -1. */
  find(path: BytePath): number;
  /** Whether this layer removes `path` itself from the layers below. */
  hasWhiteout(path: BytePath): boolean;
  /** Whether this layer hides all that layers below have in the folder `path`. */
  isOpaque(path: BytePath): boolean;
}

/** Collects the changes of one layer as they are read or written, and gives the bytes of its index file. */
export interface LayerIndexBuilder {
  /**
   * Adds a change. Where a layer leans on symlinks below it, the one who applies it gives the path at which the
   * entry really is.
   */
  add(change: LayerChange): void;
  readonly count: number;
  finish(): Buffer;
}

export function createIndexBuilder(): LayerIndexBuilder {
  throw new OcitsError('unsupported', 'the layer index is not there yet');
}

/** Reads an index file's bytes. Throws `corrupt` where they are damaged or of another version. */
export function decodeIndex(_bytes: Buffer): LayerIndex {
  throw new OcitsError('unsupported', 'the layer index is not there yet');
}
