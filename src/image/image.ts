/**
 * The room of images: found and listed (`catalog`), moved between registries, the store and archives (`transfer`,
 * `archive`), and collected when nobody needs them (`garbage`). Commands, builds and containers call those; here are
 * the words that all of them share. An image is one platform's manifest with its config. What is read of it before any
 * layer comes from `ImageDocuments`, the store's or another place's.
 *
 *     const { image } = await readImage(storeDocuments(store), descriptor);
 */

import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { Manifest } from '../oci/manifest.ts';

/** An image of one platform whose manifest and config are in the store; layers need not be. */
export interface Image {
  /** The config's digest. */
  readonly id: Digest;
  readonly manifestDescriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}
