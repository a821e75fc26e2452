import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import type { Digest } from '../../oci/digest.ts';
import type { HistoryEntry } from '../../oci/image-config.ts';
import type { Platform } from '../../oci/platform.ts';
import { familiarName } from '../../oci/reference.ts';
import type { Store } from '../../store/store.ts';
import { requireImage } from './find-image.ts';
import { readCatalog } from './image-catalog.ts';
import { layerSizes } from './layer-size.ts';

/** One step in which an image was made. */
export interface HistoryItem {
  /** The image's ID for the newest step; undefined (Docker's `<missing>`) for those below. */
  readonly id: Digest | undefined;
  readonly created: Date | undefined;
  readonly createdBy: string;
  readonly comment: string;
  readonly sizeBytes: number;
  readonly tags: readonly string[];
}

/** The steps of an image, newest first, as `docker history` lists them. Throws as `requireImage`. */
export async function imageHistory(
  engine: Engine,
  call: Call,
  nameOrId: string,
  platform?: Platform,
): Promise<readonly HistoryItem[]> {
  const store = await engine.store();
  const image = await requireImage(store, nameOrId, platform);
  const sizes = await layerSizes(engine, call, image);
  const tags = await tagsOf(store, image.id);
  const steps = withLayerSizes(image.config.history ?? [], sizes).reverse();
  return steps.map(({ entry, sizeBytes }, position) => ({
    id: position === 0 ? image.id : undefined,
    created: configTime(entry.created),
    createdBy: entry.created_by ?? '',
    comment: entry.comment ?? '',
    sizeBytes,
    tags: position === 0 ? tags : [],
  }));
}

/** A time of an image's config; undefined where it is not there or cannot be read. */
export function configTime(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? undefined : time;
}

/** Layers go to the entries that made one, in order; layers that the history does not know get an entry of their own. */
function withLayerSizes(history: readonly HistoryEntry[], sizes: readonly number[]) {
  let next = 0;
  const steps = history.map((entry) => ({
    entry,
    sizeBytes: entry.empty_layer === true ? 0 : (sizes[next++] ?? 0),
  }));
  return [...steps, ...sizes.slice(next).map((sizeBytes) => ({ entry: {} as HistoryEntry, sizeBytes }))];
}

async function tagsOf(store: Store, id: Digest): Promise<string[]> {
  const found = (await readCatalog(store)).find(({ image }) => image.id === id);
  return found === undefined ? [] : found.tags.map(familiarName);
}
