import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { DOCKER_MANIFEST } from '../../oci/media-types.ts';
import { formatPlatform, hostPlatform, type Platform } from '../../oci/platform.ts';
import { familiarName, familiarRepository, type Reference, withDefaultTag } from '../../oci/reference.ts';
import type { Registry } from '../../registry/client/registry.ts';
import type { RepositoryClient } from '../../registry/registry-client.ts';
import { allSettled } from '../../system/task/all-settled.ts';
import { chooseImage, platformOf } from '../catalog/choose-image.ts';
import { isIndex, readImage, readIndex } from '../catalog/read-image.ts';
import { tagsOfRepository } from '../catalog/tag-image.ts';
import type { Image, ImageHost } from '../image.ts';
import { addBlobOrigin, blobOrigins } from './blob-origins.ts';
import { compressedImage } from './compressed-image.ts';
import { type PushContext, pushBlobs } from './push-blobs.ts';

export interface PushRequest {
  /** Names of one repository, each with a tag; without one it is `latest`. */
  readonly references: readonly Reference[];
  /** Which image of an index, where not all of them are pushed. */
  readonly platform?: Platform | undefined;
  /** How layers that were built here are compressed; the default is gzip. */
  readonly compression?: 'gzip' | 'zstd' | undefined;
  readonly signal?: AbortSignal | undefined;
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
export async function pushImages(
  host: ImageHost,
  registry: Registry,
  request: PushRequest,
): Promise<Pushed[]> {
  const { signal, compression = 'gzip' } = request;
  await using _lease = await host.store.leases.shared(signal);
  const there = new Set<Digest>();
  const pushed: Pushed[] = [];
  for (const name of request.references) {
    const reference = withDefaultTag(name);
    const root = await resolveName(host, reference);
    const client = registry.repository(reference);
    const context: PushContext = { host, registry, client, format: compression, there, signal };
    host.emit({ type: 'image', state: 'pushing', reference: familiarName(reference), descriptor: root });
    const descriptor = await pushRoot(context, reference, root, request.platform);
    const { domain, path } = reference;
    await host.store.refs.put({ domain, path, digest: descriptor.digest }, descriptor);
    host.emit({ type: 'image', state: 'pushed', reference: familiarName(reference), descriptor });
    pushed.push({ reference, descriptor });
  }
  return pushed;
}

/** All names that the repository has here. Throws `not-found` where there is none. */
export async function tagsToPush(host: ImageHost, repository: Reference): Promise<readonly Reference[]> {
  const tags = await tagsOfRepository(host.store, repository);
  if (tags.length > 0) return tags;
  throw new OcitsError(
    'not-found',
    `An image does not exist locally with the name: ${familiarRepository(repository)}`,
  );
}

async function resolveName({ store }: ImageHost, reference: Reference): Promise<Descriptor> {
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

async function pushRoot(
  context: PushContext,
  reference: Reference,
  root: Descriptor,
  platform: Platform | undefined,
): Promise<Descriptor> {
  const { host } = context;
  const tag = reference.tag!;
  if (!isIndex(root)) return await pushImage(context, await readImage(host.store, root), tag);
  const images = platform === undefined ? await allImages(host, root) : undefined;
  if (images === undefined) {
    const image = await oneImage(host, reference, root, platform);
    const text = `not all of ${familiarName(reference)} is here: only ${formatPlatform(platformOf(image))} is pushed`;
    if (platform === undefined) host.emit({ type: 'message', level: 'info', text });
    return await pushImage(context, image, tag);
  }
  for (const image of images) await pushImage(context, image, image.manifestDescriptor.digest);
  return await putManifest(context, tag, root, await host.store.blobs.read(root.digest));
}

/** The images of an index; undefined where one of them (or something else that it lists) is not here. */
async function allImages(host: ImageHost, root: Descriptor): Promise<Image[] | undefined> {
  const images: Image[] = [];
  for (const child of (await readIndex(host.store, root)).manifests) {
    if (isIndex(child) || (await host.store.blobs.stat(child.digest)) === undefined) return undefined;
    images.push(await readImage(host.store, child));
  }
  return images;
}

async function oneImage(
  host: ImageHost,
  reference: Reference,
  root: Descriptor,
  platform: Platform | undefined,
): Promise<Image> {
  const image = await chooseImage(host.store, root, platform);
  if (image !== undefined) return image;
  const wanted = formatPlatform(platform ?? hostPlatform());
  throw new OcitsError('wrong-platform', `${familiarName(reference)} is not here for ${wanted}`, {
    hint: `fetch it with: ocits pull --platform ${wanted} ${familiarName(reference)}`,
  });
}

async function pushImage(context: PushContext, image: Image, target: string): Promise<Descriptor> {
  const { host, format, signal } = context;
  const { manifestDescriptor } = image;
  const isAsIs = (await blobOrigins(host.store, manifestDescriptor.digest)).length > 0;
  await pushBlobs(context, image, isAsIs);
  if (isAsIs) {
    return await putManifest(
      context,
      target,
      manifestDescriptor,
      await host.store.blobs.read(manifestDescriptor.digest),
    );
  }
  const { descriptor, content } = await compressedImage(host.store, image, {
    format,
    mayBeDocker: manifestDescriptor.mediaType === DOCKER_MANIFEST,
    emit: host.emit,
    ...(signal === undefined ? {} : { signal }),
  });
  return await putManifest(context, target, descriptor, content);
}

async function putManifest(
  { client, host, signal }: { client: RepositoryClient; host: ImageHost; signal: AbortSignal | undefined },
  target: string,
  { mediaType, digest, size }: Descriptor,
  content: Buffer,
): Promise<Descriptor> {
  await allSettled([client.putManifest(target, content, mediaType, signal), host.store.blobs.put(content)]);
  await addBlobOrigin(host.store, digest, client.reference);
  return { mediaType, digest, size };
}
