import type { Engine } from '../../engine.ts';
import type { Digest } from '../../oci/digest.ts';
import { layerCompression } from '../../oci/media-types.ts';
import type { Image } from '../image.ts';

/**
 * The sizes of an image's layers as uncompressed tars, lowest first. Where nobody has uncompressed a layer yet, its
 * size unpacked, else its compressed size.
 */
export async function layerSizes(engine: Engine, image: Image): Promise<number[]> {
  const diffIds = image.config.rootfs.diff_ids;
  const sizes: number[] = [];
  for (const [position, layer] of image.manifest.layers.entries()) {
    if (layerCompression(layer.mediaType) === 'none') sizes.push(layer.size);
    else sizes.push((await plainSize(engine, diffIds.slice(0, position + 1))) ?? layer.size);
  }
  return sizes;
}

/** The image's size as Docker counts it: its layers, uncompressed. */
export async function imageSize(engine: Engine, image: Image): Promise<number> {
  return (await layerSizes(engine, image)).reduce((sum, size) => sum + size, 0);
}

async function plainSize(engine: Engine, stack: readonly Digest[]): Promise<number | undefined> {
  const diffId = stack.at(-1)!;
  const store = await engine.store();
  const known = (await store.compressed.get(diffId)).plainSizeBytes;
  if (known !== undefined) return known;
  const plain = await store.blobs.stat(diffId);
  if (plain !== undefined) return plain.sizeBytes;
  return (await (await engine.snapshotter()).stat(stack))?.sizeBytes;
}
