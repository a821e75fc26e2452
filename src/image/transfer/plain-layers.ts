import { OcitsError } from '../../errors.ts';
import { decompress } from '../../layer/compress/decompress.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { OCI_CONFIG, OCI_LAYER } from '../../oci/media-types.ts';
import type { Store } from '../../store/store.ts';
import { encodeManifest, imageManifest } from './commit-image.ts';
import type { ImageSource } from './image-source.ts';
import type { FindLayer } from './origin-source.ts';
import type { OutgoingForms } from './outgoing-forms.ts';
import { plainLayerSize } from './plain-layer-size.ts';
import { storeSource } from './store-source.ts';

/**
 * Images of the store with all layers as uncompressed tars, whose digests are the diffIDs: the forms, and the source
 * that decompresses layers as they are fetched. Config and so ID are the same. Throws as `find` does where a layer
 * cannot be had.
 */
export function plainLayers(
  store: Store,
  find: FindLayer,
): { readonly forms: OutgoingForms; readonly source: ImageSource } {
  const source = storeSource(store);
  /** By diffID, the layer as the image has it. */
  const layers = new Map<Digest, Descriptor>();
  return {
    forms: {
      layer: async (image, position, call) => {
        const digest = image.config.rootfs.diff_ids[position]!;
        const size = await plainLayerSize(store, image, { position, find }, call);
        layers.set(digest, image.manifest.layers[position]!);
        return { mediaType: OCI_LAYER, digest, size };
      },
      manifest: ({ manifest }, plain) => {
        const { digest, size } = manifest.config;
        return encodeManifest(imageManifest({ mediaType: OCI_CONFIG, digest, size }, plain));
      },
    },
    source: {
      ...source,
      fetchBlob: async (wanted, offset, call) => {
        const layer = layers.get(wanted.digest);
        if (layer === undefined) return await source.fetchBlob(wanted, offset, call);
        if (offset > 0) throw new OcitsError('internal', 'an uncompressed layer is read from its start');
        const content = await find(layer, wanted.digest, call);
        const body = decompress(content, { signal: call.signal });
        return { body: sized(body, wanted, store), resumed: true };
      },
    },
  };
}

/**
 * The same bytes. Throws `size-mismatch` as soon as they are more or fewer than the record of the layer says, and
 * forgets that record: the next one who asks reads the layer through.
 */
async function* sized(
  body: AsyncIterable<Uint8Array>,
  { digest, size }: Descriptor,
  store: Store,
): AsyncGenerator<Uint8Array, void, undefined> {
  let count = 0;
  const fail = async () => {
    await store.compressed.delete(digest);
    return new OcitsError('size-mismatch', `the size of the layer ${digest} was recorded wrongly`, {
      hint: 'do it again: the record is gone',
    });
  };
  for await (const chunk of body) {
    count += chunk.length;
    if (count > size) throw await fail();
    yield chunk;
  }
  if (count < size) throw await fail();
}
