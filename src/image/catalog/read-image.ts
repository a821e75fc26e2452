import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { ImageConfig } from '../../oci/image-config.ts';
import type { Index, Manifest } from '../../oci/manifest.ts';
import { DOCKER_CONFIG, isIndexType, layerCompression, OCI_CONFIG } from '../../oci/media-types.ts';
import { CONFIG_LIMIT_BYTES, parseImageConfig } from '../../oci/parse-image-config.ts';
import { MANIFEST_LIMIT_BYTES, parseManifestOrIndex } from '../../oci/parse-manifest.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';

/** The manifest that `descriptor` points at. Throws `not-found`, `corrupt`, `hostile`, `unsupported`. */
export async function readManifest(store: Store, descriptor: Descriptor): Promise<Manifest> {
  const content = await readSized(store, descriptor, MANIFEST_LIMIT_BYTES);
  const parsed = parseManifestOrIndex(content, descriptor.mediaType);
  if (parsed.kind === 'manifest') return parsed.manifest;
  throw new OcitsError('hostile', `${descriptor.digest} should be a manifest, and is an index`);
}

/** The index that `descriptor` points at. Throws as `readManifest`. */
export async function readIndex(store: Store, descriptor: Descriptor): Promise<Index> {
  const content = await readSized(store, descriptor, MANIFEST_LIMIT_BYTES);
  const parsed = parseManifestOrIndex(content, descriptor.mediaType);
  if (parsed.kind === 'index') return parsed.index;
  throw new OcitsError('hostile', `${descriptor.digest} should be an index, and is a manifest`);
}

/** The image config that a manifest's `config` points at. Throws as `readManifest`. */
export async function readImageConfig(store: Store, descriptor: Descriptor): Promise<ImageConfig> {
  return parseImageConfig(await readSized(store, descriptor, CONFIG_LIMIT_BYTES));
}

/**
 * The image whose manifest `descriptor` points at, with manifest and config checked against each other. Throws as
 * `readManifest`; `unsupported` where it is an artifact and not an image.
 */
export async function readImage(store: Store, descriptor: Descriptor): Promise<Image> {
  const manifest = await readManifest(store, descriptor);
  checkImageManifest(manifest);
  const config = await readImageConfig(store, manifest.config);
  checkLayerCount(manifest, config);
  return { id: manifest.config.digest, manifestDescriptor: descriptor, manifest, config };
}

/** Throws `unsupported` where the manifest is of something that is no image, or has a layer of an unknown kind. */
export function checkImageManifest(manifest: Manifest): void {
  const { mediaType } = manifest.config;
  if (mediaType !== OCI_CONFIG && mediaType !== DOCKER_CONFIG) {
    const type = JSON.stringify(manifest.artifactType ?? mediaType);
    throw new OcitsError('unsupported', `this is an artifact of type ${type}, not an image`);
  }
  for (const layer of manifest.layers) {
    if (layerCompression(layer.mediaType) === undefined) {
      throw new OcitsError(
        'unsupported',
        `layer ${layer.digest} has the type ${JSON.stringify(layer.mediaType)}, which is not a layer's`,
      );
    }
  }
}

/** image-spec config.md#properties: one diffID a layer, in the same order. Throws `hostile`. */
export function checkLayerCount(manifest: Manifest, config: ImageConfig): void {
  const diffIds = config.rootfs.diff_ids.length;
  if (diffIds !== manifest.layers.length) {
    throw new OcitsError(
      'hostile',
      `the manifest has ${manifest.layers.length} layers, but the image config ${diffIds} diffIDs`,
    );
  }
}

/** Whether `descriptor` is of an index by its media type. */
export function isIndex(descriptor: Descriptor): boolean {
  return isIndexType(descriptor.mediaType);
}

/** Whether what `descriptor` points at may be read into memory. Throws `hostile` where it is announced over `limitBytes`. */
export function checkAnnouncedSize({ digest, size }: Descriptor, limitBytes: number): void {
  if (size <= limitBytes) return;
  throw new OcitsError('hostile', `${digest} is announced with ${size} bytes, more than ${limitBytes} bytes`);
}

async function readSized(store: Store, descriptor: Descriptor, limitBytes: number): Promise<Buffer> {
  const { digest, size } = descriptor;
  checkAnnouncedSize(descriptor, limitBytes);
  const content = await store.blobs.read(digest, limitBytes);
  if (content.length !== size) {
    throw new OcitsError('size-mismatch', `${digest} has ${content.length} bytes, ${size} were announced`);
  }
  return content;
}
