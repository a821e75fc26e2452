import { OcitsError } from '../errors.ts';
import { decompress } from '../layer/decompress.ts';
import type { LayerSource } from '../layer/layer-change.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { layerCompression } from '../oci/media-types.ts';
import type { Store } from '../store/store.ts';
import type { Image } from './image.ts';

/**
 * Where the bytes of an image's layer are in the store, in whichever form it is there: as the manifest has it, as an
 * uncompressed tar, in another compressed form. Undefined: in none.
 */
export async function layerSource(
  store: Store,
  image: Image,
  position: number,
): Promise<LayerSource | undefined> {
  const diffId = image.config.rootfs.diff_ids[position]!;
  const own = await presentForm(store, image.manifest.layers[position]!);
  if (own !== undefined) return own;
  const plain = await store.blobs.stat(diffId);
  if (plain !== undefined)
    return { path: store.blobs.path(diffId), compression: 'none', sizeBytes: plain.sizeBytes };
  for (const form of (await store.compressed.get(diffId)).forms) {
    const other = await presentForm(store, form);
    if (other !== undefined) return other;
  }
  return undefined;
}

/** As `layerSource`; a layer that is not there is an error. */
export async function requireLayerSource(store: Store, image: Image, position: number): Promise<LayerSource> {
  const source = await layerSource(store, image, position);
  if (source !== undefined) return source;
  throw new OcitsError('not-found', `layer ${image.manifest.layers[position]!.digest} is not in the store`, {
    hint: 'pull the image again',
  });
}

/** The size of a layer's uncompressed tar. Reads the layer through where that was never done, and remembers it. */
export async function plainLayerSize(
  store: Store,
  image: Image,
  position: number,
  signal?: AbortSignal,
): Promise<number> {
  const layer = image.manifest.layers[position]!;
  const diffId: Digest = image.config.rootfs.diff_ids[position]!;
  if (layerCompression(layer.mediaType) === 'none') return layer.size;
  const known = (await store.compressed.get(diffId)).plainSizeBytes;
  if (known !== undefined) return known;
  let size = 0;
  const source = await requireLayerSource(store, image, position);
  for await (const chunk of decompress(source, signal === undefined ? {} : { signal })) size += chunk.length;
  await store.compressed.add(diffId, layer, size);
  return size;
}

async function presentForm(store: Store, descriptor: Descriptor): Promise<LayerSource | undefined> {
  const compression = layerCompression(descriptor.mediaType);
  const found = compression === undefined ? undefined : await store.blobs.stat(descriptor.digest);
  if (compression === undefined || found === undefined) return undefined;
  return { path: store.blobs.path(descriptor.digest), compression, sizeBytes: found.sizeBytes };
}
