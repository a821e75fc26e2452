import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig } from '../oci/image-config.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { NewsSink } from '../progress.ts';
import type { Snapshotter } from '../snapshotter/snapshotter.ts';
import type { Store } from '../store/store.ts';

/** What the functions of image, build and container work on. */
export interface ImageHost {
  readonly store: Store;
  readonly snapshotter: Snapshotter;
  readonly emit: NewsSink;
}

/** An image of one platform whose manifest and config are in the store; layers need not be. */
export interface Image {
  /** The config's digest. */
  readonly id: Digest;
  readonly manifestDescriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}
