import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { DOCKER_MANIFEST } from '../../oci/media-types.ts';
import { formatPlatform, hostPlatform, type Platform } from '../../oci/platform.ts';
import { familiarName, familiarRepository, type Reference, withDefaultTag } from '../../oci/reference.ts';
import type { Store } from '../../store/store.ts';
import { allSettled } from '../../system/task/all-settled.ts';
import { chooseImage, platformOf } from '../catalog/choose-image.ts';
import { isIndex, readImage, readIndex } from '../catalog/read-image.ts';
import { tagsOfRepository } from '../catalog/tag-image.ts';
import type { Image } from '../image.ts';
import { addBlobOrigin, blobOrigins } from './blob-origins.ts';
import { compressedImage } from './compressed-image.ts';
import type { ManifestContent } from './image-source.ts';
import { type PushContext, pushBlobs } from './push-blobs.ts';

export interface PushRequest {
  /** Names of one repository, each with a tag; without one it is `latest`. */
  readonly references: readonly Reference[];
  /** Which image of an index, where not all of them are pushed. */
  readonly platform?: Platform | undefined;
  /** How layers that were built here are compressed; the default is gzip. */
  readonly compression?: 'gzip' | 'zstd' | undefined;
}

export interface Pushed {
  readonly reference: Reference;
  /** What the tag points at in the registry now. */
  readonly descriptor: Descriptor;
}

/**
 * Pushes what names point at: blobs in parallel, then manifests, the tag's own last. An index is pushed where all of
 * its images are here, else the image for `platform` (this host's where none is given, else the only one).
 *
 * What came from a registry is pushed byte for byte; of what was built here, layers are compressed, once for all
 * times, and the manifest is OCI's throughout.
 *
 * Throws `not-found` for a name that is not here, `invalid-argument` for one by digest, `wrong-platform`, and what the
 * registry throws.
 */
export async function pushImages(engine: Engine, call: Call, request: PushRequest): Promise<Pushed[]> {
  const { compression = 'gzip' } = request;
  const [store, registry] = await Promise.all([engine.store(), engine.registry()]);
  await using _lease = await store.leases.shared(call.signal);
  const there = new Set<Digest>();
  const pushed: Pushed[] = [];
  for (const name of request.references) {
    const reference = withDefaultTag(name);
    const root = await resolveName(store, reference);
    const client = registry.repository(reference);
    const context: PushContext = { store, registry, client, format: compression, there };
    call.emit({ type: 'image', state: 'pushing', reference: familiarName(reference), descriptor: root });
    const descriptor = await pushRoot(context, call, { reference, root, platform: request.platform });
    const { domain, path } = reference;
    await store.refs.put({ domain, path, digest: descriptor.digest }, descriptor);
    call.emit({ type: 'image', state: 'pushed', reference: familiarName(reference), descriptor });
    pushed.push({ reference, descriptor });
  }
  return pushed;
}

/** All names that the repository has here. Throws `not-found` where there is none. */
export async function tagsToPush(store: Store, repository: Reference): Promise<readonly Reference[]> {
  const tags = await tagsOfRepository(store, repository);
  if (tags.length > 0) return tags;
  throw new OcitsError(
    'not-found',
    `An image does not exist locally with the name: ${familiarRepository(repository)}`,
  );
}

async function resolveName(store: Store, reference: Reference): Promise<Descriptor> {
  if (reference.digest !== undefined) {
    throw new OcitsError(
      'invalid-argument',
      `${familiarName(reference)} is a name by digest, which cannot be pushed`,
      {
        hint: 'give the image a tag with: ocits tag',
      },
    );
  }
  const root = await store.refs.resolve(reference);
  if (root !== undefined) return root;
  throw new OcitsError(
    'not-found',
    `An image does not exist locally with the tag: ${familiarName(reference)}`,
    {
      hint: 'see what there is with: ocits images',
    },
  );
}

interface NamedRoot {
  readonly reference: Reference;
  readonly root: Descriptor;
  readonly platform: Platform | undefined;
}

async function pushRoot(
  context: PushContext,
  call: Call,
  { reference, root, platform }: NamedRoot,
): Promise<Descriptor> {
  const { store } = context;
  const tag = reference.tag!;
  if (!isIndex(root)) return await pushImage(context, call, await readImage(store, root), tag);
  const images = platform === undefined ? await allImages(store, root) : undefined;
  if (images === undefined) {
    const image = await oneImage(store, { reference, root, platform });
    const text = `not all of ${familiarName(reference)} is here: only ${formatPlatform(platformOf(image))} is pushed`;
    if (platform === undefined) call.emit({ type: 'message', level: 'info', text });
    return await pushImage(context, call, image, tag);
  }
  for (const image of images) await pushImage(context, call, image, image.manifestDescriptor.digest);
  return await putManifest(context, call, tag, {
    descriptor: root,
    content: await store.blobs.read(root.digest),
  });
}

/** The images of an index; undefined where one of them (or something else that it lists) is not here. */
async function allImages(store: Store, root: Descriptor): Promise<Image[] | undefined> {
  const images: Image[] = [];
  for (const child of (await readIndex(store, root)).manifests) {
    if (isIndex(child) || (await store.blobs.stat(child.digest)) === undefined) return undefined;
    images.push(await readImage(store, child));
  }
  return images;
}

async function oneImage(store: Store, { reference, root, platform }: NamedRoot): Promise<Image> {
  const image = await chooseImage(store, root, platform);
  if (image !== undefined) return image;
  const wanted = formatPlatform(platform ?? hostPlatform());
  throw new OcitsError('wrong-platform', `${familiarName(reference)} is not here for ${wanted}`, {
    hint: `fetch it with: ocits pull --platform ${wanted} ${familiarName(reference)}`,
  });
}

async function pushImage(
  context: PushContext,
  call: Call,
  image: Image,
  target: string,
): Promise<Descriptor> {
  const { store, format } = context;
  const { manifestDescriptor: descriptor } = image;
  const isAsIs = (await blobOrigins(store, descriptor.digest)).length > 0;
  await pushBlobs(context, call, image, isAsIs);
  if (isAsIs) {
    const content = await store.blobs.read(descriptor.digest);
    return await putManifest(context, call, target, { descriptor, content });
  }
  const mayBeDocker = descriptor.mediaType === DOCKER_MANIFEST;
  const form = await compressedImage(store, call, image, { format, mayBeDocker });
  return await putManifest(context, call, target, form);
}

async function putManifest(
  { client, store }: PushContext,
  call: Call,
  target: string,
  { descriptor: { mediaType, digest, size }, content }: ManifestContent,
): Promise<Descriptor> {
  await allSettled([client.putManifest(target, content, mediaType, call), store.blobs.put(content)]);
  await addBlobOrigin(store, digest, client.reference);
  return { mediaType, digest, size };
}
