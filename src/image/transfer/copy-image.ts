import type { Call } from '../../call.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Reference } from '../../oci/reference.ts';
import { warning } from '../../progress.ts';
import { type ImageDocument, type SelectedImage, selectImage } from '../catalog/read-image.ts';
import type { Image } from '../image.ts';
import type { ManifestContent } from '../image-documents.ts';
import { type CopyLayersOptions, copyBlobs, copyLayers } from './copy-layers.ts';
import type { ImageSink, ImageSource } from './image-source.ts';
import type { OutgoingForms } from './outgoing-forms.ts';
import { type Selection, selectManifests } from './select-manifests.ts';

export interface CopyRequest {
  readonly root: Descriptor;
  /** How it is called in the sink; none: it is kept by its digest. */
  readonly names: readonly Reference[];
  /** Which images of an index; by default those that the source has. */
  readonly select?: Selection | undefined;
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
 * Copies what `root` points at, an image or an index with its images, then names it. This is how images are pushed,
 * saved, loaded and copied from place to place; a pull selects its image by itself. Where the sink would get only one
 * image of an index, and takes no such index, that image comes alone. Throws as source and sink do; `hostile` for
 * manifests that cannot be; `not-found` where the source has no image of an index; `wrong-platform`.
 */
export async function copyImage(
  source: ImageSource,
  sink: ImageSink,
  { root, names, select = { kind: 'present' } }: CopyRequest,
  call: Call,
  options: CopyOptions = {},
): Promise<CopiedImages> {
  const documents = source.documents(call);
  if (select.kind === 'platform') {
    const found = await selectImage(documents, root, select);
    const indexes = sink.takesPartialIndex ? found.indexes : [];
    return await copySelected(source, sink, { ...found, indexes }, call, { ...options, names });
  }
  const images: Image[] = [];
  let last: ManifestContent | undefined;
  for await (const each of selectManifests(documents, root, select.kind)) {
    if (last !== undefined) await sink.putManifest(last, call);
    last = each;
    if (each.kind === 'manifest') {
      await copyBlobs(source, sink, [each.manifest.config, ...each.manifest.layers], call, options);
    } else if (each.kind === 'image') {
      images.push(each.image);
      last = await copyOne(source, sink, each, call, options);
    }
  }
  await sink.putRoot(last!, names, call);
  return { root: last!.descriptor, images };
}

export interface CopySelectedOptions extends CopyOptions {
  /** How it is called in the sink; none: it is kept by its digest. Undefined: nothing keeps it. */
  readonly names: readonly Reference[] | undefined;
  /** False: manifest and config only; the default is true. */
  readonly withLayers?: boolean | undefined;
}

/**
 * Copies one image and the indexes that lead to it, and names the outermost. Blobs come before the manifests that list
 * them. Throws as source and sink do.
 */
export async function copySelected(
  source: ImageSource,
  sink: ImageSink,
  { selected, indexes, oddity }: SelectedImage,
  call: Call,
  { names, ...options }: CopySelectedOptions,
): Promise<CopiedImages> {
  if (oddity !== undefined) call.emit(warning(oddity));
  let last = await copyOne(source, sink, selected, call, options);
  for (const index of indexes) {
    await sink.putManifest(last, call);
    last = index;
  }
  if (names === undefined) await sink.putManifest(last, call);
  else await sink.putRoot(last, names, call);
  return { root: last.descriptor, images: [selected.image] };
}

/** Copies what the manifest of an image lists. Gives the manifest that is to follow. */
async function copyOne(
  source: ImageSource,
  sink: ImageSink,
  document: ImageDocument,
  call: Call,
  options: Omit<CopySelectedOptions, 'names'>,
): Promise<ManifestContent> {
  const { image, config } = document;
  const follow = await options.onImage?.(image);
  const layers = await copyLayers(source, sink, image, call, { ...options, follow, config });
  return options.forms?.manifest(image, layers) ?? document;
}
