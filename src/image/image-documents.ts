import { OcitsError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { CONFIG_LIMIT_BYTES } from '../oci/parse-image-config.ts';
import { MANIFEST_LIMIT_BYTES } from '../oci/parse-manifest.ts';
import type { Store } from '../store/store.ts';

/** A manifest or an index: the bytes that the digest is of. */
export interface ManifestContent {
  readonly descriptor: Descriptor;
  readonly content: Buffer;
}

/**
 * Where the small documents of images are read: each gives the bytes, held against digest and size. Throws `not-found`,
 * `corrupt` or `digest-mismatch`, `size-mismatch`. Whoever asks has looked at the announced size.
 */
export interface ImageDocuments {
  /** A manifest or an index. */
  manifest(descriptor: Descriptor): Promise<Buffer>;
  /** An image's configuration. */
  config(descriptor: Descriptor): Promise<Buffer>;
}

/** The documents that the store has. */
export function storeDocuments({ blobs }: Pick<Store, 'blobs'>): ImageDocuments {
  const read = async ({ digest, size }: Descriptor, limitBytes: number) => {
    const content = await blobs.read(digest, limitBytes);
    if (content.length === size) return content;
    throw new OcitsError('size-mismatch', `${digest} has ${content.length} bytes, ${size} were announced`);
  };
  return {
    manifest: async (descriptor) => await read(descriptor, MANIFEST_LIMIT_BYTES),
    config: async (descriptor) => await read(descriptor, CONFIG_LIMIT_BYTES),
  };
}
