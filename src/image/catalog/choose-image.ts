import { isOcitsError, type OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { hostPlatform, matchPlatforms, normalizePlatform, type Platform } from '../../oci/platform.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
import { isIndex, readImage, readIndex } from './read-image.ts';

/** How deep indexes may lie within indexes. */
export const INDEX_DEPTH_LIMIT = 4;

/**
 * The manifests below `root` that are in the store, each once, in the order of the index; `root` itself where it is a
 * manifest. Attestations (buildkit's `unknown/unknown`) are left out.
 */
export async function presentManifests(store: Store, root: Descriptor): Promise<Descriptor[]> {
  const found: Descriptor[] = [];
  // Each index is read once: one that lists the next a thousand times, which lists a third a thousand times, would take
  // for ever.
  const seen = new Set<Digest>();
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (seen.has(descriptor.digest)) return;
    seen.add(descriptor.digest);
    if ((await store.blobs.stat(descriptor.digest)) === undefined) return;
    if (!isIndex(descriptor)) found.push(descriptor);
    else if (depth < INDEX_DEPTH_LIMIT) {
      for (const child of (await readIndex(store, descriptor)).manifests) {
        if (!isAttestation(child)) await visit(child, depth + 1);
      }
    }
  };
  await visit(root, 0);
  return found;
}

/**
 * Every image of `root` that is in the store. What is there but is no image (an artifact) is left out. What cannot
 * be read is thrown, or told to `onBroken` where that is given.
 */
export async function presentImages(
  store: Store,
  root: Descriptor,
  onBroken?: (error: OcitsError) => void,
): Promise<Image[]> {
  const images: Image[] = [];
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (isOcitsError(error, 'unsupported', 'not-found')) return;
      if (onBroken === undefined || !isOcitsError(error, 'corrupt', 'hostile', 'size-mismatch')) throw error;
      onBroken(error);
    }
  };
  await attempt(async () => {
    for (const manifest of await presentManifests(store, root)) {
      await attempt(async () => {
        images.push(await readImage(store, manifest));
      });
    }
  });
  return images;
}

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
    const image = await readImage(store, root);
    return platform === undefined || matchPlatforms([{ platform: platformOf(image) }], platform).length > 0
      ? image
      : undefined;
  }
  const images = await presentImages(store, root);
  const offers = images.map((image) => ({ image, platform: platformOf(image) }));
  const [best] = matchPlatforms(offers, platform ?? hostPlatform());
  if (best !== undefined) return best.image;
  return platform === undefined ? images[0] : undefined;
}

/** The platform that an image's config names. */
export function platformOf({ config }: Image): Platform {
  const version = config['os.version'];
  return normalizePlatform({
    os: config.os,
    architecture: config.architecture,
    variant: config.variant,
    'os.version': version,
  });
}

/** Buildkit lists its provenance among the images of an index. */
export function isAttestation(descriptor: Descriptor): boolean {
  return (
    descriptor.annotations?.['vnd.docker.reference.type'] !== undefined ||
    descriptor.platform?.os === 'unknown'
  );
}
