import { createHash } from 'node:crypto';
import type { Call } from '../../call.ts';
import { OcitsError } from '../../errors.ts';
import { decompress } from '../../layer/compress/decompress.ts';
import { digestAlgorithm, finishDigest } from '../../oci/digest.ts';
import { layerCompression } from '../../oci/media-types.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
import type { FindLayer } from './origin-source.ts';

/**
 * The size of a layer's uncompressed tar. Reads the layer through where that was never done, and remembers it. Throws
 * `digest-mismatch` where the layer is not what the image's config says.
 */
export async function plainLayerSize(
  store: Store,
  image: Image,
  { position, find }: { readonly position: number; readonly find: FindLayer },
  call: Call,
): Promise<number> {
  const layer = image.manifest.layers[position]!;
  const diffId = image.config.rootfs.diff_ids[position]!;
  if (layerCompression(layer.mediaType) === 'none') return layer.size;
  const known = (await store.compressed.get(diffId)).plainSizeBytes;
  if (known !== undefined) return known;
  let size = 0;
  const algorithm = digestAlgorithm(diffId);
  const hash = createHash(algorithm);
  const source = await find(layer, diffId, call);
  for await (const chunk of decompress(source, { signal: call.signal })) {
    size += chunk.length;
    hash.update(chunk);
  }
  const found = finishDigest(algorithm, hash);
  if (found !== diffId) {
    throw new OcitsError('digest-mismatch', `layer ${layer.digest} has the diffID ${found}, not ${diffId}`);
  }
  await store.compressed.add(diffId, layer, size);
  return size;
}
