import type { Writable } from 'node:stream';
import type { SaveRequest } from '../image/archive/save-images.ts';
import type { ImageSummary } from '../image/catalog/list-images.ts';
import type { Removal } from '../image/garbage/remove-image.ts';
import type { PullRequest } from '../image/transfer/pull-image.ts';
import type { Digest } from '../oci/digest.ts';
import { formatPlatform, type Platform, parsePlatform } from '../oci/platform.ts';
import {
  exactName,
  familiarName,
  formatReference,
  parseReference,
  withDefaultTag,
} from '../oci/reference.ts';
import type { LayerCompression } from '../options/layer-compression.ts';
import { type CallOptions, withCall } from './with-call.ts';

/** An image as it is listed. */
export interface ListedImage {
  /** The digest of its configuration. */
  readonly id: Digest;
  /** With tags, short as people write them: `node:22`. None: the image has no name. */
  readonly names: readonly string[];
  /** Undefined where the image does not say. */
  readonly created: Date | undefined;
  /** Its layers, uncompressed. */
  readonly sizeBytes: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Such as `linux/amd64`. */
  readonly platform: string;
}

export interface PullOptions extends CallOptions {
  /** Such as `linux/arm64`; this host's by default. */
  readonly platform?: string | undefined;
  /** Whether a registry is asked where the image is there; by default always. */
  readonly policy?: PullRequest['policy'] | undefined;
}

export interface PulledImage {
  readonly id: Digest;
  /** The whole name, with registry and tag. */
  readonly name: string;
  /** What the name points at in the registry. */
  readonly digest: Digest;
  /** Whether anything had to be fetched, unpacked or named. */
  readonly isNew: boolean;
}

/** Fetches an image and unpacks it; what is there already is not fetched again. Throws as `docker pull` fails. */
export async function pull(name: string, options: PullOptions = {}): Promise<PulledImage> {
  return await withCall('pull', options, async (engine, call) => {
    const reference = parseReference(name);
    const { policy = 'always' } = options;
    const { pullImage } = await import('../image/transfer/pull-image.ts');
    const request = { reference: exactName(reference), platform: platformOf(options), policy };
    const { image, root, upToDate } = await pullImage(engine, call, request);
    const full = formatReference(withDefaultTag(reference));
    return { id: image.id, name: full, digest: root.digest, isNew: !upToDate };
  });
}

export interface PushOptions extends CallOptions {
  /** Which image of an index, where not all of them are pushed. */
  readonly platform?: string | undefined;
  /** How layers that were built here are compressed; gzip by default. */
  readonly compression?: LayerCompression | undefined;
}

export interface PushedImage {
  /** The whole name, with registry and tag. */
  readonly name: string;
  readonly digest: Digest;
  /** Of the manifest, or of the index. */
  readonly sizeBytes: number;
}

/** Pushes an image under its name. Throws `not-found` where it is not here, and what the registry throws. */
export async function push(name: string, options: PushOptions = {}): Promise<PushedImage> {
  return await withCall('push', options, async (engine, call) => {
    const { compression } = options;
    const { pushImages } = await import('../image/transfer/push-images.ts');
    const references = [parseReference(name)];
    const request = { references, platform: platformOf(options), compression };
    const [pushed] = await pushImages(engine, call, request);
    const { reference, descriptor } = pushed!;
    return { name: formatReference(reference), digest: descriptor.digest, sizeBytes: descriptor.size };
  });
}

function platformOf({ platform }: { readonly platform?: string | undefined }): Platform | undefined {
  return platform === undefined ? undefined : parsePlatform(platform);
}

/** All images here, newest first; those that pass `filters`, which are as those of `docker images --filter`. */
export async function images(
  options: CallOptions & { readonly filters?: readonly string[] | undefined } = {},
): Promise<ListedImage[]> {
  return await withCall('images', options, async (engine, call) => {
    const [{ listImages }, { parseImageFilters }] = await Promise.all([
      import('../image/catalog/list-images.ts'),
      import('../image/catalog/filter-images.ts'),
    ]);
    const filters = parseImageFilters(options.filters ?? []);
    return (await listImages(engine, call, filters)).map(listed);
  });
}

function listed({ id, tags, created, sizeBytes, labels, platform }: ImageSummary): ListedImage {
  const names = tags.map(familiarName);
  return { id, names, created, sizeBytes, labels, platform: formatPlatform(platform) };
}

/** Gives an image a further name; that name in full. Throws `not-found`, `invalid-reference`. */
export async function tag(source: string, name: string, options: CallOptions = {}): Promise<string> {
  return await withCall('tag', options, async (engine) => {
    const { tagImage } = await import('../image/catalog/tag-image.ts');
    return formatReference(await tagImage(await engine.store(), source, name));
  });
}

/**
 * Removes a name, and with its last name the image and all content that nothing else needs. Tells what went. Throws
 * `not-found`; `in-use` where a container or further names hold the image, unless `force`.
 */
export async function removeNamedImage(
  nameOrId: string,
  options: CallOptions & { readonly force?: boolean | undefined } = {},
): Promise<readonly Removal[]> {
  return await withCall('rmi', options, async (engine, call) => {
    const { removeImage } = await import('../image/garbage/remove-image.ts');
    return await removeImage(engine, call, nameOrId, { isForced: options.force });
  });
}

export interface SaveOptions extends CallOptions {
  /** `docker-archive` by default. */
  readonly format?: SaveRequest['format'] | undefined;
  /** For the OCI formats; gzip by default. */
  readonly compression?: LayerCompression | undefined;
  readonly platform?: string | undefined;
}

/**
 * Writes images into an archive (`output`: its path, or a stream that stays open) or the folder of an OCI layout. An
 * archive appears when it is complete. Throws `not-found`.
 */
export async function save(
  namesOrIds: readonly string[],
  output: string | Writable,
  options: SaveOptions = {},
): Promise<void> {
  await withCall('save', options, async (engine, call) => {
    const { format = 'docker-archive', compression } = options;
    const platform = platformOf(options);
    const { saveImages } = await import('../image/archive/save-images.ts');
    await saveImages(engine, call, namesOrIds, { format, output, compression, platform });
  });
}

/** An image that was in an archive. */
export interface LoadedImage {
  readonly names: readonly string[];
  /** Several for an index of several platforms. */
  readonly ids: readonly Digest[];
}

/**
 * Takes all images of an archive or the folder of an OCI layout in (`input`: its path, or an archive's bytes). All that
 * is stored is verified. Throws `not-found`, `corrupt`, `hostile`, `digest-mismatch`, `unsupported`.
 */
export async function load(
  input: string | AsyncIterable<Uint8Array>,
  options: CallOptions = {},
): Promise<LoadedImage[]> {
  return await withCall('load', options, async (engine, call) => {
    const { loadImages } = await import('../image/archive/load-images.ts');
    const source = typeof input === 'string' ? { path: input } : { stream: input };
    const loaded = await loadImages(engine, call, source);
    return loaded.map(({ names, ids }) => ({ names: names.map(familiarName), ids }));
  });
}
