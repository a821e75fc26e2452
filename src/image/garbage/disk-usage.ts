import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import type { Digest } from '../../oci/digest.ts';
import { readCatalog, type StoredImage } from '../catalog/image-catalog.ts';
import { layerSizes } from '../catalog/layer-size.ts';

/** What one image takes, layers uncompressed. */
interface ImageUsage {
  readonly stored: StoredImage;
  readonly sizeBytes: number;
  /** Of layers that another image has too. */
  readonly sharedBytes: number;
  /** How many containers were made of it. */
  readonly containers: number;
}

export interface ImagesUsage {
  readonly images: readonly ImageUsage[];
  readonly activeCount: number;
  /** Every layer counted once. */
  readonly sizeBytes: number;
  /** What would go with the images that no container uses. */
  readonly reclaimableBytes: number;
}

/** What images take on the disk, as `docker system df` counts it. */
export async function imagesUsage(engine: Engine, call: Call): Promise<ImagesUsage> {
  const users = await (await engine.contentRoots()).users();
  const catalog = await readCatalog(await engine.store());
  const layers = new Map<Digest, { sizeBytes: number; owners: number; isActive: boolean }>();
  const containersOf = (id: Digest) => users.filter(({ imageId }) => imageId === id).length;
  for (const { image } of catalog) {
    const sizes = await layerSizes(engine, call, image);
    for (const diffId of new Set(image.config.rootfs.diff_ids)) {
      const position = image.config.rootfs.diff_ids.indexOf(diffId);
      const layer = layers.get(diffId) ?? { sizeBytes: sizes[position] ?? 0, owners: 0, isActive: false };
      layer.owners++;
      if (containersOf(image.id) > 0) layer.isActive = true;
      layers.set(diffId, layer);
    }
  }
  const all = [...layers.values()];
  return {
    images: catalog.map((stored) => imageUsage(stored, layers, containersOf(stored.image.id))),
    activeCount: catalog.filter(({ image }) => containersOf(image.id) > 0).length,
    sizeBytes: total(all),
    reclaimableBytes: total(all.filter(({ isActive }) => !isActive)),
  };
}

function imageUsage(
  stored: StoredImage,
  layers: ReadonlyMap<Digest, { readonly sizeBytes: number; readonly owners: number }>,
  containers: number,
): ImageUsage {
  const own = stored.image.config.rootfs.diff_ids.map((diffId) => layers.get(diffId)!);
  return {
    stored,
    sizeBytes: total(own),
    sharedBytes: total(own.filter(({ owners }) => owners > 1)),
    containers,
  };
}

function total(layers: readonly { readonly sizeBytes: number }[]): number {
  return layers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
