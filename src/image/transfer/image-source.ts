import type { Call } from '../../call.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Reference } from '../../oci/reference.ts';

/** A manifest or an index: the bytes that the digest is of. */
export interface ManifestContent {
  readonly descriptor: Descriptor;
  readonly content: Buffer;
}

/** The bytes of a blob. `resumed` false: the source could not continue, and the bytes begin at 0. */
interface BlobBody {
  readonly body: AsyncIterable<Uint8Array>;
  readonly resumed: boolean;
}

/**
 * Where images come from: a repository of a registry, the store, an OCI layout, an archive. What it has under which
 * name is told apart from this, by whoever opens it.
 */
export interface ImageSource {
  /** A manifest or an index, at most 4 MiB (`hostile` over that), digest verified. `not-found`. */
  fetchManifest(descriptor: Descriptor, call: Call): Promise<Buffer>;
  /** The blob's bytes from `offset` on; digest and size are for whoever takes them to verify. `not-found`. */
  fetchBlob(descriptor: Descriptor, offset: number, call: Call): Promise<BlobBody>;
}

/** A blob on its way into a sink. */
export interface BlobSupply {
  readonly descriptor: Descriptor;
  readonly kind: 'config' | 'layer';
  /** Opens the bytes at `offset`; called again where the sink has to begin anew. */
  open(offset: number): Promise<BlobBody>;
  /** Told now and then how many bytes the sink has, with those that were there before. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/**
 * Where images go. Blobs come first, then the manifests that list them, then the index, then the name, so that
 * nothing visible is incomplete.
 */
export interface ImageSink {
  /** How many blobs it takes at once. */
  readonly concurrency: number;
  hasBlob(descriptor: Descriptor, call: Call): Promise<boolean>;
  /**
   * Verifies digest and size (`digest-mismatch`, `size-mismatch`) before the blob is visible. `exists` where it has
   * come meanwhile.
   */
  putBlob(supply: BlobSupply, call: Call): Promise<'stored' | 'exists'>;
  putManifest(manifest: ManifestContent, call: Call): Promise<void>;
  /** Names what was put; without names it is kept by its digest alone. */
  name(names: readonly Reference[], descriptor: Descriptor, call: Call): Promise<void>;
}
