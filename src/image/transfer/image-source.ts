import type { Readable } from 'node:stream';
import type { Call } from '../../call.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Repository } from '../../store/blob-origins.ts';
import type { FollowedBlob } from '../../store/blob-store.ts';
import type { ImageDocuments, ManifestContent } from '../image-documents.ts';

/** The bytes of a blob. */
export interface BlobBody {
  readonly body: AsyncIterable<Uint8Array>;
  /** False: the source could not continue, and the bytes begin at 0. */
  readonly resumed: boolean;
  /** Where a source has several places to ask: what is asked later goes to another one. False: there is none. */
  readonly distrust?: (() => boolean) | undefined;
}

/**
 * Where images come from: a repository of a registry, the store, an OCI layout, an archive. Whoever opens one tells
 * which names it has: that is no part of this.
 */
export interface ImageSource {
  /** What is read whole, and verified, before any layer is copied. For this call only. */
  documents(call: Call): ImageDocuments;
  /** The blob's bytes from `offset` on; digest and size are for whoever takes them to verify. `not-found`. */
  fetchBlob(descriptor: Descriptor, offset: number, call: Call): Promise<BlobBody>;
  /** Repositories that are likely to have the blob; none where that is not known. */
  origins?(digest: Digest): Promise<readonly Repository[]>;
}

/** A blob on its way into a sink. */
export interface BlobSupply {
  readonly descriptor: Descriptor;
  /** Asked for the bytes, and again where the sink has to begin anew. */
  readonly source: Pick<ImageSource, 'fetchBlob' | 'origins'>;
  /** Told now and then how many bytes the sink has, with those that were there before. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /**
   * Where the sink can be read while it is written: given the blob, to be read meanwhile and disposed of; from its first
   * bytes on where it is `hurried`, else once they have taken a second. Given it anew where the bytes begin anew; the
   * one before was dropped then.
   */
  readonly onContent?: ((content: FollowedBlob) => void) | undefined;
  readonly hurried?: boolean | undefined;
}

/** A blob that is still being made. */
export interface BlobInTheMaking {
  /** Its bytes as they come: to be read or destroyed. */
  readonly content: Readable;
  /** What it is, once it is whole; rejects where it will never be. */
  readonly whole: Promise<{ readonly digest: Digest; readonly sizeBytes: number }>;
}

/** `exists`: it was there, or has come meanwhile; `mounted`: a registry had it in another repository. */
export type BlobOutcome =
  | { readonly state: 'stored' | 'exists' }
  | { readonly state: 'mounted'; readonly from: string };

/**
 * Where images go. Blobs come first, then the manifests that list them, then the index, then the name, so that
 * nothing visible is incomplete.
 */
export interface ImageSink {
  /** How many blobs it takes at once. */
  readonly concurrency: number;
  /** Whether an index may be there without some of its images. */
  readonly takesPartialIndex: boolean;
  /** Whether the blob is known to be there; false costs no more than asking again. */
  hasBlob(descriptor: Descriptor, call: Call): Promise<boolean>;
  /** Verifies digest and size (`digest-mismatch`, `size-mismatch`) before the blob is visible. */
  putBlob(supply: BlobSupply, call: Call): Promise<BlobOutcome>;
  /**
   * Takes a blob while it is made, where the sink can do that. Throws nothing: after `failed`, `putBlob` is asked to do
   * better. `onBytes` is told of bytes once it is known how many they will be.
   */
  streamBlob?(
    blob: BlobInTheMaking,
    call: Call,
    onBytes: (bytes: number, sizeBytes: number) => void,
  ): Promise<'stored' | 'exists' | 'failed'>;
  /** A manifest or an index that another index lists, or that nobody names yet. */
  putManifest(manifest: ManifestContent, call: Call): Promise<void>;
  /** The manifest or index that `names` point at from now on; without names it is kept by its digest alone. */
  putRoot(manifest: ManifestContent, names: readonly Reference[], call: Call): Promise<void>;
}
