/**
 * The room of images that are here: finding one by name or ID, choosing a platform, and what lists, `inspect` and
 * `history` show. Commands, `library`, builds and containers call it, and the other rooms of images. It reads the
 * store and asks no registry; only `tagImage` writes.
 *
 *     const image = await requireImage(store, 'app:1', platform);
 *     const summaries = await listImages(engine, call, parseImageFilters(['dangling=true']));
 */

import type { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { familiarName, type Reference } from '../../oci/reference.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
import { presentImages } from './present-images.ts';

/** An image in the store with all its names. */
export interface StoredImage {
  readonly image: Image;
  /** Names with a tag, in the order of their familiar spelling. */
  readonly tags: readonly Reference[];
  /** Names by digest: what it is called in registries (Docker's RepoDigests). */
  readonly digests: readonly Reference[];
  /** The manifests or indexes by which it is kept, those without a name included. */
  readonly roots: readonly Descriptor[];
  /** When it was last given a name. */
  readonly updatedAt: Date;
}

interface Entry {
  readonly image: Image;
  readonly tags: Reference[];
  readonly digests: Reference[];
  readonly roots: Map<Digest, Descriptor>;
  updatedAt: Date;
}

/**
 * All images, each once, whatever the number of its names and manifests: one image is what has one ID. Images that
 * cannot be read are told to `onBroken` and left out.
 */
export async function readCatalog(
  store: Store,
  onBroken: (error: OcitsError) => void = () => {},
): Promise<StoredImage[]> {
  const entries = new Map<Digest, Entry>();
  const rootImages = new Map<Digest, readonly Image[]>();
  const imagesOf = async (root: Descriptor): Promise<readonly Image[]> => {
    const known = rootImages.get(root.digest);
    const images = known ?? (await presentImages(store, root, onBroken));
    rootImages.set(root.digest, images);
    return images;
  };
  const add = async (root: Descriptor, updatedAt: Date, reference?: Reference) => {
    for (const image of await imagesOf(root)) {
      const entry = entries.get(image.id) ?? newEntry(image, updatedAt);
      entries.set(image.id, entry);
      entry.roots.set(root.digest, root);
      if (updatedAt > entry.updatedAt) entry.updatedAt = updatedAt;
      if (reference !== undefined)
        (reference.digest === undefined ? entry.tags : entry.digests).push(reference);
    }
  };
  for (const { reference, descriptor, updatedAt } of await store.refs.list()) {
    await add(descriptor, updatedAt, reference);
  }
  for (const { descriptor, updatedAt } of await store.refs.anonymous()) await add(descriptor, updatedAt);
  return [...entries.values()].map((entry) => ({
    ...entry,
    tags: entry.tags.sort(byFamiliarName),
    digests: entry.digests.sort(byFamiliarName),
    roots: [...entry.roots.values()],
  }));
}

function newEntry(image: Image, updatedAt: Date): Entry {
  return { image, tags: [], digests: [], roots: new Map(), updatedAt };
}

function byFamiliarName(a: Reference, b: Reference): number {
  const [first, second] = [familiarName(a), familiarName(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}
