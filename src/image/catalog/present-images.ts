import { isOcitsError, type OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
import { storeDocuments } from '../image-documents.ts';
import { INDEX_DEPTH_LIMIT, indexImages, isIndex, listedIn, readImage } from './read-image.ts';

/**
 * The manifests below `root`, in the store or not, each once, in the order of the index; `root` itself where it is a
 * manifest. Only what is an image of the index counts (`indexImages`).
 */
export async function listedManifests(store: Store, root: Descriptor): Promise<Descriptor[]> {
  const documents = storeDocuments(store);
  const found: Descriptor[] = [];
  // Each index is read once: one that lists the next a thousand times, which lists a third a thousand times, would take
  // for ever.
  const seen = new Set<Digest>();
  const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
    if (seen.has(descriptor.digest)) return;
    seen.add(descriptor.digest);
    if (!isIndex(descriptor)) {
      found.push(descriptor);
      return;
    }
    if (depth >= INDEX_DEPTH_LIMIT || !(await isHere(store, descriptor))) return;
    for (const child of indexImages(await listedIn(documents, descriptor))) await visit(child, depth + 1);
  };
  await visit(root, 0);
  return found;
}

/** Those of them that are in the store. */
export async function presentManifests(store: Store, root: Descriptor): Promise<Descriptor[]> {
  const present: Descriptor[] = [];
  for (const manifest of await listedManifests(store, root)) {
    if (await isHere(store, manifest)) present.push(manifest);
  }
  return present;
}

async function isHere({ blobs }: Store, { digest }: Descriptor): Promise<boolean> {
  return (await blobs.stat(digest)) !== undefined;
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
  const documents = storeDocuments(store);
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
        images.push((await readImage(documents, manifest)).image);
      });
    }
  });
  return images;
}
