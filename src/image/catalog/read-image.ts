import { isOcitsError, OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Index, Manifest } from '../../oci/manifest.ts';
import { DOCKER_CONFIG, isIndexType, layerCompression, OCI_CONFIG } from '../../oci/media-types.ts';
import { CONFIG_LIMIT_BYTES, parseImageConfig } from '../../oci/parse-image-config.ts';
import { MANIFEST_LIMIT_BYTES, parseManifestOrIndex } from '../../oci/parse-manifest.ts';
import {
  formatPlatform,
  hostPlatform,
  matchPlatforms,
  normalizePlatform,
  type Platform,
  runsOn,
  wrongPlatform,
} from '../../oci/platform.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
import { type ImageDocuments, type ManifestContent, storeDocuments } from '../image-documents.ts';

/** How deep indexes may lie within indexes. */
export const INDEX_DEPTH_LIMIT = 4;

export interface IndexDocument extends ManifestContent {
  readonly kind: 'index';
  readonly index: Index;
}

/** The manifest of an image, or of what is none. */
export interface ManifestDocument extends ManifestContent {
  readonly kind: 'manifest';
  readonly manifest: Manifest;
}

/** An image, with the bytes of its manifest and of its config. */
export interface ImageDocument extends ManifestContent {
  readonly kind: 'image';
  readonly image: Image;
  readonly config: Buffer;
}

/** The manifest or index that `descriptor` points at. Throws `hostile`, `unsupported`, and as the documents do. */
export async function readDocument(
  documents: ImageDocuments,
  descriptor: Descriptor,
): Promise<ManifestDocument | IndexDocument> {
  checkAnnouncedSize(descriptor, MANIFEST_LIMIT_BYTES);
  const content = await documents.manifest(descriptor);
  return { descriptor, content, ...parseManifestOrIndex(content, descriptor.mediaType) };
}

/** What the index that `descriptor` points at lists; nothing where that is a manifest. Throws as `readDocument`. */
export async function listedIn(
  documents: ImageDocuments,
  descriptor: Descriptor,
): Promise<readonly Descriptor[]> {
  const document = await readDocument(documents, descriptor);
  return document.kind === 'index' ? document.index.manifests : [];
}

/**
 * The image whose manifest `descriptor` points at, with manifest and config checked against each other. Throws as
 * `readDocument`; `unsupported` where it is an artifact and not an image.
 */
export async function readImage(documents: ImageDocuments, descriptor: Descriptor): Promise<ImageDocument> {
  const document = await readDocument(documents, descriptor);
  if (document.kind === 'manifest') return await completeImage(documents, document);
  throw new OcitsError('hostile', `${descriptor.digest} should be a manifest, and is an index`);
}

/** As `readImage`, from a manifest that was read. */
export async function completeImage(
  documents: ImageDocuments,
  { descriptor, content, manifest }: ManifestDocument,
): Promise<ImageDocument> {
  checkImageManifest(manifest);
  checkAnnouncedSize(manifest.config, CONFIG_LIMIT_BYTES);
  const configContent = await documents.config(manifest.config);
  const config = parseImageConfig(configContent);
  const [layers, diffIds] = [manifest.layers.length, config.rootfs.diff_ids.length];
  // image-spec config.md#properties: one diffID a layer, in the same order.
  if (layers !== diffIds) {
    throw new OcitsError(
      'hostile',
      `the manifest has ${layers} layers, but the image config ${diffIds} diffIDs`,
    );
  }
  const image = { id: manifest.config.digest, manifestDescriptor: descriptor, manifest, config };
  return { kind: 'image', descriptor, content, image, config: configContent };
}

/** Whether `manifest` is that of an image, and not of an artifact. */
export function isImageManifest({ config }: Manifest): boolean {
  return config.mediaType === OCI_CONFIG || config.mediaType === DOCKER_CONFIG;
}

/** Throws `unsupported` where the manifest is of something that is no image, or has a layer of an unknown kind. */
function checkImageManifest(manifest: Manifest): void {
  if (!isImageManifest(manifest)) {
    const type = JSON.stringify(manifest.artifactType ?? manifest.config.mediaType);
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

export interface WantedPlatform {
  /** The host's where none is given; then an image that is not in an index may have any. */
  readonly platform: Platform | undefined;
  /** What errors call the image. */
  readonly name: string;
}

/** The image of a root for one platform. */
export interface SelectedImage {
  readonly selected: ImageDocument;
  /** The indexes on the way to it, the innermost first. */
  readonly indexes: readonly IndexDocument[];
  /** What is to be told of an image for another platform that was not asked for by name. */
  readonly oddity?: string | undefined;
}

/**
 * The image of `root` for a platform, as the indexes say that lead to it. Throws `wrong-platform` with what there is,
 * `hostile` for indexes within indexes without end, and as `readImage`.
 */
export async function selectImage(
  documents: ImageDocuments,
  root: Descriptor,
  { name, platform }: WantedPlatform,
): Promise<SelectedImage> {
  const indexes: IndexDocument[] = [];
  let document = await readDocument(documents, root);
  while (document.kind === 'index') {
    if (indexes.length >= INDEX_DEPTH_LIMIT) throw endlessIndexes(name);
    indexes.unshift(document);
    document = await readDocument(documents, chooseEntry(document.index.manifests, { name, platform }));
  }
  const selected = await completeImage(documents, document);
  const { config } = selected.image;
  const wanted = platform ?? hostPlatform();
  if (runsOn(config, wanted)) return { selected, indexes };
  // The index may be wrong, or there was none.
  if (platform !== undefined) throw wrongPlatform(name, wanted, [config]);
  const oddity = `${name} is for ${formatPlatform(normalizePlatform(config))}, and this host is ${formatPlatform(wanted)}`;
  return { selected, indexes, oddity };
}

/** The same of what the store has. Undefined where the image is not there, or cannot be read any more. */
export async function selectStored(
  store: Store,
  root: Descriptor,
  wanted: WantedPlatform,
): Promise<SelectedImage | undefined> {
  try {
    return await selectImage(storeDocuments(store), root, wanted);
  } catch (error) {
    if (isOcitsError(error, 'not-found', 'corrupt', 'hostile', 'size-mismatch')) return undefined;
    if (isOcitsError(error, 'unsupported', 'wrong-platform')) return undefined;
    throw error;
  }
}

function chooseEntry(entries: readonly Descriptor[], { name, platform }: WantedPlatform): Descriptor {
  const images = indexImages(entries);
  const wanted = platform ?? hostPlatform();
  const [best] = matchPlatforms(images, wanted);
  if (best !== undefined) return best;
  // An index without platforms says nothing against its only image.
  const [only] = images;
  if (only !== undefined && only.platform === undefined) return only;
  throw wrongPlatform(
    name,
    wanted,
    images.flatMap((entry) => entry.platform ?? []),
  );
}

export function endlessIndexes(name: string): OcitsError {
  return new OcitsError('hostile', `${name} has indexes within indexes without end`);
}

/** Throws `hostile` where what `descriptor` points at is announced larger than may be read into memory. */
function checkAnnouncedSize({ digest, size }: Descriptor, limitBytes: number): void {
  if (size <= limitBytes) return;
  throw new OcitsError('hostile', `${digest} is announced with ${size} bytes, more than ${limitBytes} bytes`);
}

/** Whether `descriptor` is of an index by its media type. */
export function isIndex(descriptor: Descriptor): boolean {
  return isIndexType(descriptor.mediaType);
}

/**
 * The entries of an index that are its images: those with a platform, or the only one of an index without platforms.
 * Whatever else it lists (attestations, artifacts, images of others) may be in the store by another name, and gets none
 * by being listed. image-spec image-index.md.
 */
export function indexImages(entries: readonly Descriptor[]): readonly Descriptor[] {
  const images = entries.filter((entry) => !isAttestation(entry));
  if (new Set(images.map(({ digest }) => digest)).size === 1) return images;
  return images.filter(({ platform }) => platform !== undefined);
}

/** Buildkit lists its provenance among the images of an index. */
function isAttestation(descriptor: Descriptor): boolean {
  return (
    descriptor.annotations?.['vnd.docker.reference.type'] !== undefined ||
    descriptor.platform?.os === 'unknown'
  );
}
