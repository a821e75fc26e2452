import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Platform } from '../../oci/platform.ts';
import { familiarName, type Reference } from '../../oci/reference.ts';
import { warning } from '../../progress.ts';
import type { Store } from '../../store/store.ts';
import { type ImageFilters, matchesLabels, matchesReference, matchesUntil } from './filter-images.ts';
import { requireImage } from './find-image.ts';
import { readCatalog, type StoredImage } from './image-catalog.ts';
import { configTime } from './image-history.ts';
import { platformOf } from './image-platform.ts';
import { imageSize } from './layer-size.ts';

/** An image in a list. */
export interface ImageSummary {
  readonly id: Digest;
  readonly tags: readonly Reference[];
  readonly digests: readonly Reference[];
  /** Undefined where the image does not say. */
  readonly created: Date | undefined;
  /** Its layers, uncompressed. */
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly platform: Platform;
}

/** The images that fit the filters, newest first. Throws `not-found` for an image in `before` or `since`. */
export async function listImages(
  engine: Engine,
  call: Call,
  filters?: ImageFilters,
): Promise<readonly ImageSummary[]> {
  const found = await catalogWith(await engine.store(), call, filters);
  const summaries: ImageSummary[] = [];
  for (const stored of found) {
    summaries.push({
      id: stored.image.id,
      tags: stored.tags,
      digests: stored.digests,
      created: configTime(stored.image.config.created),
      sizeBytes: await imageSize(engine, call, stored.image),
      labels: stored.image.config.config?.Labels ?? {},
      platform: platformOf(stored.image),
    });
  }
  return summaries.sort(newestFirst);
}

/** All images that fit the filters, with those of their names that fit; those that cannot be read are told and left out. */
export async function catalogWith(
  store: Store,
  call: Call,
  filters: ImageFilters | undefined,
): Promise<readonly StoredImage[]> {
  const onBroken = (error: Error) => call.emit(warning(`an image cannot be read: ${error.message}`));
  const found = await readCatalog(store, onBroken);
  return filters === undefined ? found : await applyFilters(store, found, filters);
}

async function applyFilters(
  store: Store,
  images: readonly StoredImage[],
  filters: ImageFilters,
): Promise<StoredImage[]> {
  const before = await createdTimes(store, filters.before);
  const since = await createdTimes(store, filters.since);
  return images
    .map((stored) =>
      filters.references.length === 0 ? stored : withMatchingNames(stored, filters.references),
    )
    .filter((stored) => {
      const created = createdMs(stored);
      if (filters.references.length > 0 && stored.tags.length + stored.digests.length === 0) return false;
      if (!matchesDangling(stored, filters.isDangling)) return false;
      if (before.some((time) => created >= time) || since.some((time) => created <= time)) return false;
      return matchesLabels(stored, filters) && matchesUntil(stored, filters);
    });
}

/** Docker's: a name by digest alone is not a tag, and yet a name. */
function matchesDangling({ tags, digests }: StoredImage, isDangling: boolean | undefined): boolean {
  if (isDangling === undefined) return true;
  return isDangling ? tags.length === 0 : tags.length + digests.length > 0;
}

function withMatchingNames(stored: StoredImage, patterns: readonly string[]): StoredImage {
  const matching = (names: readonly Reference[]) => names.filter((name) => matchesReference(name, patterns));
  return { ...stored, tags: matching(stored.tags), digests: matching(stored.digests) };
}

async function createdTimes(store: Store, names: readonly string[]): Promise<number[]> {
  const times: number[] = [];
  for (const name of names) times.push(createdMs({ image: await requireImage(store, name) }));
  return times;
}

function createdMs({ image }: Pick<StoredImage, 'image'>): number {
  return configTime(image.config.created)?.getTime() ?? 0;
}

function newestFirst(a: ImageSummary, b: ImageSummary): number {
  const difference = (b.created?.getTime() ?? 0) - (a.created?.getTime() ?? 0);
  if (difference !== 0) return difference;
  const [first, second] = [nameOf(a), nameOf(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

function nameOf({ tags, digests, id }: ImageSummary): string {
  const [reference] = [...tags, ...digests];
  return reference === undefined ? `~${id}` : familiarName(reference);
}
