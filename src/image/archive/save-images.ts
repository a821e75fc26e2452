import type { Writable } from 'node:stream';
import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { Platform } from '../../oci/platform.ts';
import { parseReference, type Reference } from '../../oci/reference.ts';
import type { Store } from '../../store/store.ts';
import { partialFolder } from '../../system/paths.ts';
import { requireImage } from '../catalog/find-image.ts';
import { tagsOfRepository } from '../catalog/tag-image.ts';
import type { Image } from '../image.ts';
import { compressedLayers } from '../transfer/compressed-layers.ts';
import { copyImage } from '../transfer/copy-image.ts';
import { OUTGOING } from '../transfer/copy-layers.ts';
import { completeStore, layerFinder } from '../transfer/origin-source.ts';
import { plainLayers } from '../transfer/plain-layers.ts';
import { type FileTarget, folderTarget } from './file-target.ts';
import { layoutSink } from './layout-sink.ts';
import { archiveFile, archiveStream } from './target-file.ts';

/** What skopeo and podman call these formats as well. */
export const SAVE_FORMATS = ['docker-archive', 'oci-archive', 'oci-dir'] as const;
type SaveFormat = (typeof SAVE_FORMATS)[number];

export interface SaveRequest {
  readonly format: SaveFormat;
  /** A file (a folder for `oci-dir`), or a stream for the archives. */
  readonly output: string | Writable;
  /** For the OCI formats; the default is gzip. */
  readonly compression?: 'gzip' | 'zstd' | undefined;
  readonly platform?: Platform | undefined;
}

/**
 * Writes images with their names into an archive or the folder of an OCI layout. A name without a tag stands for all
 * tags of its repository, as with `docker save`; an ID is saved without a name. A layer that was left where it came
 * from is fetched, and stays. An archive appears when it is
 * complete; a folder keeps what it has, and gets its index last.
 */
export async function saveImages(
  engine: Engine,
  call: Call,
  namesOrIds: readonly string[],
  options: SaveRequest,
): Promise<void> {
  const store = await engine.store();
  await using _lease = await store.leases.shared(call.signal);
  const images = await chooseImages(store, namesOrIds, options.platform);
  try {
    await writeImages(engine, call, images, options);
  } catch (error) {
    // The record of a layer's size was wrong, and is gone now. A file can be begun anew.
    if (!isOcitsError(error, 'size-mismatch') || typeof options.output !== 'string') throw error;
    await writeImages(engine, call, images, options);
  }
}

async function writeImages(
  engine: Engine,
  call: Call,
  images: ReadonlyMap<string, ChosenImage>,
  options: SaveRequest,
): Promise<void> {
  const store = await engine.store();
  await using target = await openTarget(options, partialFolder(store.paths.root));
  const sink = layoutSink(target, options.format === 'docker-archive');
  const { format, compression = 'gzip' } = options;
  const find = layerFinder(engine, store);
  const { source, forms } =
    format === 'docker-archive'
      ? plainLayers(store, find)
      : {
          source: completeStore(engine, store),
          forms: compressedLayers(store, { format: compression, mayBeDocker: false, find }),
        };
  for (const { image, names } of images.values()) {
    const request = { root: image.manifestDescriptor, names };
    await copyImage(source, sink, request, call, { states: OUTGOING, forms });
  }
  await sink.finish();
}

async function openTarget({ format, output }: SaveRequest, scratch: string): Promise<FileTarget> {
  if (typeof output === 'string') {
    return format === 'oci-dir' ? await folderTarget(output, scratch) : await archiveFile(output, scratch);
  }
  if (format !== 'oci-dir') return archiveStream(output);
  throw new OcitsError('invalid-argument', 'oci-dir is a folder, so it needs -o FOLDER');
}

interface ChosenImage {
  readonly image: Image;
  readonly names: Reference[];
}

/** Each image once, with the names that it was asked for by. */
async function chooseImages(
  store: Store,
  namesOrIds: readonly string[],
  platform: Platform | undefined,
): Promise<ReadonlyMap<string, ChosenImage>> {
  const chosen = new Map<string, ChosenImage>();
  const add = (image: Image, name: Reference | undefined) => {
    const entry = chosen.get(image.id) ?? { image, names: [] };
    chosen.set(image.id, entry);
    if (name?.tag !== undefined && name.digest === undefined) entry.names.push(name);
  };
  for (const nameOrId of namesOrIds) {
    const tags = await tagsOfName(store, nameOrId);
    if (tags.length === 0) {
      const found = await requireImage(store, nameOrId, platform);
      add(found, found.reference);
    }
    for (const tag of tags)
      add(await requireImage(store, `${tag.domain}/${tag.path}:${tag.tag}`, platform), tag);
  }
  return chosen;
}

/** None where the text has a tag, or is no name. */
async function tagsOfName(store: Store, text: string): Promise<readonly Reference[]> {
  let wanted: Reference;
  try {
    wanted = parseReference(text);
  } catch {
    return [];
  }
  if (wanted.tag !== undefined || wanted.digest !== undefined) return [];
  return await tagsOfRepository(store, wanted);
}
