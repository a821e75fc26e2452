import { isOcitsError, OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { readJson } from '../../oci/json-fields.ts';
import { isIndexType, isManifestType, OCI_INDEX } from '../../oci/media-types.ts';
import { CONFIG_LIMIT_BYTES } from '../../oci/parse-image-config.ts';
import { MANIFEST_LIMIT_BYTES, parseManifestOrIndex } from '../../oci/parse-manifest.ts';
import { parseReference, type Reference } from '../../oci/reference.ts';
import type { ImageSource } from '../transfer/image-source.ts';
import { type FileSet, readSmallBlob, readSmallFile } from './file-set.ts';
import type { ImageCollection } from './image-collection.ts';
import { blobName, CONTAINERD_NAME, INDEX_FILE, LAYOUT_FILE, REF_NAME } from './layout-sink.ts';

const SMALL_LIMIT_BYTES = 64 * 1024;

/**
 * image-spec image-layout.md: the images of an OCI layout. A name is taken from containerd's annotation or, where it
 * is more than a tag, from `org.opencontainers.image.ref.name`. Throws `hostile`, `unsupported`, `not-found`.
 */
export async function layoutImages(files: FileSet): Promise<ImageCollection> {
  const layout = await readSmallFile(files, LAYOUT_FILE, SMALL_LIMIT_BYTES);
  const about = { what: `the ${LAYOUT_FILE}`, limitBytes: SMALL_LIMIT_BYTES };
  const version = readJson(layout, about, (fields) => fields.value('imageLayoutVersion'));
  if (typeof version !== 'string' || !version.startsWith('1.')) {
    throw new OcitsError('unsupported', `the OCI layout has version ${JSON.stringify(version)}`);
  }
  const content = await readSmallFile(files, INDEX_FILE, MANIFEST_LIMIT_BYTES);
  const parsed = parseManifestOrIndex(content, OCI_INDEX);
  const images = new Map<Digest, { root: Descriptor; names: Reference[] }>();
  for (const descriptor of parsed.kind === 'index' ? parsed.index.manifests : []) {
    if (!isIndexType(descriptor.mediaType) && !isManifestType(descriptor.mediaType)) continue;
    const { mediaType, digest, size } = descriptor;
    const image = images.get(digest) ?? { root: { mediaType, digest, size }, names: [] };
    image.names.push(...nameOf(descriptor));
    images.set(digest, image);
  }
  return { source: layoutSource(files), images: [...images.values()] };
}

/** The blobs of a layout as a source. */
function layoutSource(files: FileSet): ImageSource {
  const read = async (descriptor: Descriptor, limitBytes: number) =>
    await readSmallBlob(files, blobName(descriptor.digest), descriptor, limitBytes);
  return {
    documents: () => ({
      manifest: async (descriptor) => await read(descriptor, MANIFEST_LIMIT_BYTES),
      config: async (descriptor) => await read(descriptor, CONFIG_LIMIT_BYTES),
    }),
    fetchBlob: async ({ digest }, offset) => ({
      body: await files.read(blobName(digest), offset),
      resumed: true,
    }),
  };
}

function nameOf({ annotations }: Descriptor): Reference[] {
  const containerd = annotations?.[CONTAINERD_NAME];
  const name = containerd ?? annotations?.[REF_NAME];
  // A tag alone names no repository.
  if (name === undefined || (containerd === undefined && !/[/:]/.test(name))) return [];
  try {
    const reference = parseReference(name);
    return reference.tag === undefined && reference.digest === undefined ? [] : [reference];
  } catch (error) {
    if (isOcitsError(error, 'invalid-reference')) return [];
    throw error;
  }
}
