import type { Descriptor } from '../../oci/descriptor.ts';
import { hostPlatform, matchPlatforms, type Platform, runsOn } from '../../oci/platform.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
import { storeDocuments } from '../image-documents.ts';
import { platformOf } from './image-platform.ts';
import { presentImages } from './present-images.ts';
import { isIndex, readImage } from './read-image.ts';

/**
 * The image of `root` for `platform`. Without a platform: this host's, else whatever is there. Undefined where none
 * is in the store. Throws as `readImage`.
 */
export async function chooseImage(
  store: Store,
  root: Descriptor,
  platform?: Platform,
): Promise<Image | undefined> {
  if (!isIndex(root)) {
    if ((await store.blobs.stat(root.digest)) === undefined) return undefined;
    const { image } = await readImage(storeDocuments(store), root);
    return platform === undefined || runsOn(image.config, platform) ? image : undefined;
  }
  const images = await presentImages(store, root);
  const offers = images.map((image) => ({ image, platform: platformOf(image) }));
  const [best] = matchPlatforms(offers, platform ?? hostPlatform());
  if (best !== undefined) return best.image;
  return platform === undefined ? images[0] : undefined;
}
