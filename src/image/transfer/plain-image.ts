import type { Call } from '../../call.ts';
import { OcitsError } from '../../errors.ts';
import { decompress } from '../../layer/compress/decompress.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { OCI_CONFIG, OCI_LAYER } from '../../oci/media-types.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
import { encodeManifest, imageManifest } from './commit-image.ts';
import type { ImageSource, ManifestContent } from './image-source.ts';
import { plainLayerSize } from './plain-layer-size.ts';
import { layerSource } from './unpack.ts';

/** An image in another form than the store has it: its manifest, and the source that gives the blobs. */
export interface ImageForm extends ManifestContent {
  readonly source: ImageSource;
}

/**
 * An image of the store with all layers as uncompressed tars, whose digests are the diffIDs. Layers are decompressed
 * as they are fetched. Its config and so its ID are the same. Throws `not-found` for a layer that is not in the store.
 */
export async function plainImage(store: Store, call: Call, image: Image): Promise<ImageForm> {
  const positions = new Map<Digest, number>();
  const layers: Descriptor[] = [];
  for (const [position, digest] of image.config.rootfs.diff_ids.entries()) {
    positions.set(digest, position);
    layers.push({
      mediaType: OCI_LAYER,
      digest,
      size: await plainLayerSize(store, image, position, call.signal),
    });
  }
  const { digest, size } = image.manifest.config;
  const manifest = encodeManifest(imageManifest({ mediaType: OCI_CONFIG, digest, size }, layers));
  return {
    ...manifest,
    source: {
      fetchManifest: async () => manifest.content,
      fetchBlob: async (wanted, offset, { signal }) => {
        const position = positions.get(wanted.digest);
        if (position === undefined)
          return { body: await store.blobs.open(wanted.digest), resumed: offset === 0 };
        if (offset > 0) throw new OcitsError('internal', 'an uncompressed layer is read from its start');
        const layer = await layerSource(store, image.manifest.layers[position]!, wanted.digest);
        return { body: decompress(layer, { signal }), resumed: true };
      },
    },
  };
}
