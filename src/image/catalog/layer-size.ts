import type { Digest } from '../../oci/digest.ts';
import { layerCompression } from '../../oci/media-types.ts';
import type { Snapshotter } from '../../snapshotter/snapshotter.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';

/** What sizes are read from; without a snapshotter, only what the store knows. */
export interface SizeSources {
  readonly store: Store;
  readonly snapshotter?: Snapshotter;
}

/**
 * The sizes of an image's layers as uncompressed tars, lowest first. Where nobody has uncompressed a layer yet, its
 * size unpacked, else its compressed size.
 */
export async function layerSizes(sources: SizeSources, image: Image): Promise<number[]> {
  const diffIds = image.config.rootfs.diff_ids;
  const sizes: number[] = [];
  for (const [position, layer] of image.manifest.layers.entries()) {
    if (layerCompression(layer.mediaType) === 'none') sizes.push(layer.size);
    else sizes.push((await plainSize(sources, diffIds.slice(0, position + 1))) ?? layer.size);
  }
  return sizes;
}

/** The image's size as Docker counts it: its layers, uncompressed. */
export async function imageSize(sources: SizeSources, image: Image): Promise<number> {
  return (await layerSizes(sources, image)).reduce((sum, size) => sum + size, 0);
}

async function plainSize(sources: SizeSources, stack: readonly Digest[]): Promise<number | undefined> {
  const diffId = stack.at(-1)!;
  const known = (await sources.store.compressed.get(diffId)).plainSizeBytes;
  if (known !== undefined) return known;
  const plain = await sources.store.blobs.stat(diffId);
  if (plain !== undefined) return plain.sizeBytes;
  return (await sources.snapshotter?.stat(stack))?.sizeBytes;
}
