import { OcitsError } from '../../errors.ts';
import type { LayerSource } from '../../layer/layer-change.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { layerCompression } from '../../oci/media-types.ts';
import type { Store } from '../../store/store.ts';

/**
 * Where the bytes of a layer are in the store: as its image has them, as a plain tar, or in another compressed form.
 * Throws `not-found`.
 */
export async function layerSource(store: Store, layer: Descriptor, diffId: Digest): Promise<LayerSource> {
  const found = await findLayerSource(store, layer, diffId);
  if (found !== undefined) return found;
  throw new OcitsError('not-found', `layer ${layer.digest} is not in the store`, {
    hint: 'pull the image again',
  });
}

/** The same; undefined where no form of the layer is in the store. */
export async function findLayerSource(
  store: Store,
  layer: Descriptor,
  diffId: Digest,
): Promise<LayerSource | undefined> {
  const known = [
    layer,
    { mediaType: '', digest: diffId, size: -1 },
    ...(await store.compressed.get(diffId)).forms,
  ];
  for (const { mediaType, digest } of known) {
    const compression = digest === diffId ? 'none' : layerCompression(mediaType);
    const blob = await store.blobs.stat(digest);
    if (blob === undefined || compression === undefined) continue;
    return { path: store.blobs.path(digest), compression, sizeBytes: blob.sizeBytes };
  }
  return undefined;
}
