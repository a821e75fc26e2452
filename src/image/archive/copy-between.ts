import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Platform } from '../../oci/platform.ts';
import { familiarName, type Reference } from '../../oci/reference.ts';
import { partialFolder } from '../../system/paths.ts';
import { copyImage } from '../transfer/copy-image.ts';
import { OUTGOING } from '../transfer/copy-layers.ts';
import type { ImageSink } from '../transfer/image-source.ts';
import { repositorySink } from '../transfer/repository-sink.ts';
import { repositorySource } from '../transfer/repository-source.ts';
import type { Selection } from '../transfer/select-manifests.ts';
import { dockerArchiveImages } from './docker-archive-source.ts';
import { folderTarget } from './file-target.ts';
import type { ImageCollection } from './image-collection.ts';
import type { ImagePlace } from './image-place.ts';
import { DOCKER_MANIFEST_FILE, LAYOUT_FILE, layoutSink } from './layout-sink.ts';
import { layoutImages } from './layout-source.ts';
import { openImageFiles } from './open-archive.ts';
import { archiveFile } from './target-file.ts';

export interface CopyBetweenRequest {
  readonly from: ImagePlace;
  readonly to: ImagePlace;
  /** One image of each index; by default all that it lists. A docker archive has no indexes: then it is this host's. */
  readonly platform?: Platform | undefined;
}

/**
 * Copies images from one place to another with nothing in between: nothing is unpacked, nor compressed anew, and the
 * store gets nothing. Files keep the names of the images; a registry takes one image at a time, under the name given.
 * Gives what was written, in its order. Throws as source and sink do; `invalid-argument` where a registry would get
 * several images; `wrong-platform`; `not-found` where a part of an index is missing.
 */
export async function copyBetween(
  engine: Engine,
  call: Call,
  { from, to, platform }: CopyBetweenRequest,
): Promise<readonly Descriptor[]> {
  await using source = await openSource(engine, from, call);
  const { images } = source;
  if (to.kind === 'registry' && images.length !== 1) {
    throw new OcitsError('invalid-argument', `there are ${images.length} images, and a registry takes one`, {
      hint: 'copy from a place that has one image only',
    });
  }
  await using sink = await openSink(engine, to);
  const copied: Descriptor[] = [];
  for (const { root, names } of images) {
    const name = names[0] === undefined ? root.digest : familiarName(names[0]);
    const isOne = platform !== undefined || to.kind === 'docker-archive';
    const select: Selection = isOne ? { kind: 'platform', platform, name } : { kind: 'all' };
    const request = { root, names: sink.names ?? names, select };
    const states = from.kind === 'registry' && to.kind !== 'registry' ? undefined : OUTGOING;
    copied.push((await copyImage(source.source, sink.sink, request, call, { states })).root);
  }
  await sink.finish();
  return copied;
}

async function openSource(
  engine: Engine,
  place: ImagePlace,
  call: Call,
): Promise<ImageCollection & AsyncDisposable> {
  if (place.kind === 'registry') {
    const { reference } = place;
    const client = (await engine.registry()).repository(reference);
    const root = await client.resolve(reference.digest ?? reference.tag!, call);
    const names = reference.tag === undefined ? [] : [reference];
    const source = repositorySource(client, familiarName(reference));
    return { source, images: [{ root, names }], [Symbol.asyncDispose]: async () => {} };
  }
  const files = await openImageFiles(await engine.store(), { path: place.path }, call.signal);
  try {
    const isDocker = place.kind === 'docker-archive';
    if ((await files.sizeOf(isDocker ? DOCKER_MANIFEST_FILE : LAYOUT_FILE)) === undefined) {
      const wanted = isDocker ? 'docker archive' : 'OCI layout';
      throw new OcitsError('corrupt', `${place.path} is not ${isDocker ? 'a' : 'an'} ${wanted}`);
    }
    const images = isDocker
      ? await dockerArchiveImages(files, async () => undefined)
      : await layoutImages(files);
    return { ...images, [Symbol.asyncDispose]: async () => await files[Symbol.asyncDispose]() };
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}

interface OpenSink extends AsyncDisposable {
  readonly sink: ImageSink;
  /** The names that images get there; undefined: those that they have. */
  readonly names: readonly Reference[] | undefined;
  finish(): Promise<void>;
}

async function openSink(engine: Engine, place: ImagePlace): Promise<OpenSink> {
  if (place.kind === 'registry') {
    const sink = repositorySink((await engine.registry()).repository(place.reference));
    return {
      sink,
      names: [place.reference],
      finish: async () => {},
      [Symbol.asyncDispose]: async () => {},
    };
  }
  const scratch = partialFolder(engine.paths.root);
  const open = place.kind === 'oci' ? folderTarget : archiveFile;
  const target = await open(place.path, scratch);
  const sink = layoutSink(target, place.kind === 'docker-archive');
  return {
    sink,
    names: undefined,
    finish: async () => await sink.finish(),
    [Symbol.asyncDispose]: async () => await target[Symbol.asyncDispose](),
  };
}
