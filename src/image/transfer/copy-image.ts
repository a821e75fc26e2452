import type { Call } from '../../call.ts';
import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestAlgorithm, digestOf } from '../../oci/digest.ts';
import type { Manifest } from '../../oci/manifest.ts';
import { DOCKER_CONFIG, OCI_CONFIG } from '../../oci/media-types.ts';
import { CONFIG_LIMIT_BYTES, parseImageConfig } from '../../oci/parse-image-config.ts';
import { parseManifestOrIndex } from '../../oci/parse-manifest.ts';
import type { Reference } from '../../oci/reference.ts';
import { checkPlatform } from '../catalog/choose-platform.ts';
import { checkAnnouncedSize, checkImageManifest, checkLayerCount, isIndex } from '../catalog/read-image.ts';
import type { Image } from '../image.ts';
import { type CopyLayersOptions, copyBlobs, copyLayers } from './copy-layers.ts';
import type { ImageSink, ImageSource, ManifestContent } from './image-source.ts';
import type { OutgoingForms } from './outgoing-forms.ts';
import { type Selection, selectManifests } from './select-manifests.ts';

export interface CopyRequest {
  readonly root: Descriptor;
  /** How it is called in the sink; none: it is kept by its digest. Undefined: nothing keeps it. */
  readonly names: readonly Reference[] | undefined;
  /** Which images of an index; by default those that the source has. */
  readonly select?: Selection | undefined;
  /** False: manifests and configs only; the default is true. */
  readonly withLayers?: boolean | undefined;
}

export interface CopyOptions extends Pick<CopyLayersOptions, 'states'> {
  /** In which form the layers go, where `root` is an image; by default as they are. */
  readonly forms?: OutgoingForms | undefined;
  /** Told of each image before its layers are copied; may give what is done with them meanwhile. */
  readonly onImage?: ((image: Image) => Promise<CopyLayersOptions['follow']>) | undefined;
}

export interface CopiedImages {
  /** What the names point at now. */
  readonly root: Descriptor;
  /** What is no image (an attestation) is left out. */
  readonly images: readonly Image[];
}

/**
 * The room of images on their way: registries, the store, layouts and archives are sources and sinks (`image-source`),
 * and one algorithm goes between any two of them. Pull and push are that copy with the store at one end; what is done
 * with layers meanwhile (unpack, compress) hangs on it. Commands, builds, containers and archives call it.
 *
 *     const source = repositorySource(registry.repository(reference), name);
 *     await copyImage(source, storeSink(store), { root, names: [reference] }, call);
 *
 * Copies what `root` points at, an image or an index with its images, then names it. Blobs come before the manifests
 * that list them. This is how images are pulled, pushed, saved, loaded and copied from place to place. Throws as
 * source and sink do; `hostile` for manifests that cannot be; `not-found` where the source has no image of an index;
 * `wrong-platform`.
 */
export async function copyImage(
  source: ImageSource,
  sink: ImageSink,
  request: CopyRequest,
  call: Call,
  options: CopyOptions = {},
): Promise<CopiedImages> {
  const { root, names, select = { kind: 'present' } } = request;
  const images: Image[] = [];
  let last: ManifestContent | undefined;
  for await (const each of selectManifests(source, sink, root, select, call)) {
    if (last !== undefined) await sink.putManifest(last, call);
    if (isIndex(each.descriptor)) {
      last = each;
      continue;
    }
    const manifest = manifestOf(each);
    if (select.kind === 'all' && !isImage(manifest)) {
      await copyBlobs(source, sink, [manifest.config, ...manifest.layers], call, options);
      last = each;
      continue;
    }
    const { image, config } = await fetchConfig(source, each.descriptor, manifest, call);
    images.push(image);
    if (select.kind === 'platform') checkPlatform(image, select, call);
    const follow = await options.onImage?.(image);
    const layers = { ...options, follow, config, withLayers: request.withLayers };
    const copied = await copyLayers(source, sink, image, call, layers);
    last = options.forms?.manifest(image, copied) ?? each;
  }
  if (names === undefined) await sink.putManifest(last!, call);
  else await sink.putRoot(last!, names, call);
  return { root: last!.descriptor, images };
}

function manifestOf({ descriptor, content }: ManifestContent): Manifest {
  const parsed = parseManifestOrIndex(content, descriptor.mediaType);
  if (parsed.kind === 'manifest') return parsed.manifest;
  throw new OcitsError('hostile', `${descriptor.digest} should be a manifest, and is an index`);
}

function isImage({ config }: Manifest): boolean {
  return config.mediaType === OCI_CONFIG || config.mediaType === DOCKER_CONFIG;
}

/** A config that does not fit its manifest is found before gigabytes of layers are copied. */
async function fetchConfig(
  source: ImageSource,
  manifestDescriptor: Descriptor,
  manifest: Manifest,
  call: Call,
): Promise<{ readonly image: Image; readonly config: Buffer }> {
  checkImageManifest(manifest);
  checkAnnouncedSize(manifest.config, CONFIG_LIMIT_BYTES);
  const known = await source.atHand?.(manifest.config);
  const content = known ?? (await fetchSmallBlob(source, manifest.config, call));
  const config = parseImageConfig(content);
  checkLayerCount(manifest, config);
  return { image: { id: manifest.config.digest, manifestDescriptor, manifest, config }, config: content };
}

/** A small blob in memory, verified. */
async function fetchSmallBlob(source: ImageSource, descriptor: Descriptor, call: Call): Promise<Buffer> {
  const { digest, size } = descriptor;
  for (;;) {
    const { body, distrust } = await source.fetchBlob(descriptor, 0, call);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > size) break;
      chunks.push(Buffer.from(chunk));
    }
    const content = Buffer.concat(chunks);
    const found = digestOf(content, digestAlgorithm(digest));
    if (bytes === size && found === digest) return content;
    if (distrust?.() === true) continue;
    if (bytes !== size) {
      throw new OcitsError('size-mismatch', `the image config ${digest} has another size than announced`);
    }
    throw new OcitsError('digest-mismatch', `content that should be ${digest} is ${found}`);
  }
}
