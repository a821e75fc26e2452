import { createHash } from 'node:crypto';
import { OcitsError } from '../../errors.ts';
import { type CompressionFormat, compressionFormat, MAGIC_BYTES } from '../../layer/compression-format.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestOf, finishDigest, isDigest } from '../../oci/digest.ts';
import { JsonFields } from '../../oci/json-fields.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from '../../oci/media-types.ts';
import { CONFIG_LIMIT_BYTES, parseImageConfig } from '../../oci/parse-image-config.ts';
import { MANIFEST_LIMIT_BYTES } from '../../oci/parse-manifest.ts';
import type { Reference } from '../../oci/reference.ts';
import { parseTag } from '../catalog/tag-image.ts';
import { encodeManifest, imageManifest } from '../transfer/commit-image.ts';
import { type FileSet, readSmallBlob, readSmallFile, readStart } from './file-set.ts';
import type { ImageCollection } from './image-collection.ts';
import { DOCKER_MANIFEST_FILE } from './layout-sink.ts';

const IMAGE_LIMIT = 1000;
const NAME_LIMIT = 1000;
const LAYER_TYPES: Partial<Record<CompressionFormat, string>> = {
  gzip: OCI_LAYER_GZIP,
  zstd: OCI_LAYER_ZSTD,
};
const BLOB_NAME = /^blobs\/sha256\/([0-9a-f]{64})$/;

/** A form of a layer that the store has already: then the archive's own is not needed. */
export type KnownForm = (diffId: Digest) => Promise<Descriptor | undefined>;

interface ArchivedImage {
  readonly config: string;
  readonly names: readonly Reference[];
  readonly layers: readonly string[];
}

/**
 * The images of a `docker save` archive of any version (`manifest.json`). Docker's format has no manifests, so each
 * image gets one that lists its layers as they lie in the archive, or as `knownForm` says. Throws `hostile`,
 * `corrupt`, `invalid-reference`.
 */
export async function dockerArchiveImages(files: FileSet, knownForm: KnownForm): Promise<ImageCollection> {
  const manifests = new Map<Digest, Buffer>();
  const names = new Map<Digest, string>();
  const images: { root: Descriptor; names: readonly Reference[] }[] = [];
  for (const image of await readEntries(files)) {
    const content = await readSmallFile(files, image.config, CONFIG_LIMIT_BYTES);
    const config = { mediaType: OCI_CONFIG, digest: digestOf(content), size: content.length };
    names.set(config.digest, image.config);
    const diffIds = parseImageConfig(content).rootfs.diff_ids;
    if (diffIds.length !== image.layers.length) {
      const counts = `${image.layers.length} layers, but its config ${diffIds.length} diffIDs`;
      throw new OcitsError('hostile', `image ${image.config} of the archive has ${counts}`);
    }
    const layers: Descriptor[] = [];
    for (const [position, name] of image.layers.entries()) {
      const known = await knownForm(diffIds[position]!);
      const layer = known ?? (await describeLayer(files, name, diffIds[position]!));
      if (known === undefined) names.set(layer.digest, name);
      layers.push(layer);
    }
    const manifest = encodeManifest(imageManifest(config, layers));
    manifests.set(manifest.descriptor.digest, manifest.content);
    images.push({ root: manifest.descriptor, names: image.names });
  }
  const missing = (digest: Digest) => new OcitsError('not-found', `${digest} is not in the archive`);
  const nameOf = ({ digest }: Descriptor) => {
    const name = names.get(digest);
    if (name === undefined) throw missing(digest);
    return name;
  };
  const documents = {
    manifest: async ({ digest }: Descriptor) => {
      const content = manifests.get(digest);
      if (content === undefined) throw missing(digest);
      return content;
    },
    config: async (descriptor: Descriptor) =>
      await readSmallBlob(files, nameOf(descriptor), descriptor, CONFIG_LIMIT_BYTES),
  };
  return {
    images,
    source: {
      documents: () => documents,
      fetchBlob: async (descriptor, offset) => ({
        body: await files.read(nameOf(descriptor), offset),
        resumed: true,
      }),
    },
  };
}

async function readEntries(files: FileSet): Promise<ArchivedImage[]> {
  const content = await readSmallFile(files, DOCKER_MANIFEST_FILE, MANIFEST_LIMIT_BYTES);
  let value: unknown;
  try {
    value = JSON.parse(content.toString('utf8'));
  } catch (cause) {
    throw new OcitsError('hostile', `${DOCKER_MANIFEST_FILE} is not JSON`, { cause });
  }
  if (!Array.isArray(value) || value.length > IMAGE_LIMIT) {
    throw new OcitsError('hostile', `${DOCKER_MANIFEST_FILE} is not a list of at most ${IMAGE_LIMIT} images`);
  }
  return value.map((item) => {
    const fields = new JsonFields(item, `an image of ${DOCKER_MANIFEST_FILE}`);
    const [config, ...more] = texts([fields.value('Config')], 'Config');
    if (config === undefined || more.length > 0) throw new OcitsError('internal', 'one config was expected');
    return {
      config,
      names: texts(fields.value('RepoTags'), 'RepoTags').map(parseTag),
      layers: texts(fields.value('Layers'), 'Layers'),
    };
  });
}

function texts(value: unknown, field: string): string[] {
  const list = value ?? [];
  const isList = Array.isArray(list) && list.length <= NAME_LIMIT;
  if (isList && list.every((item) => typeof item === 'string' && item !== '')) return list as string[];
  throw new OcitsError('hostile', `${field} in ${DOCKER_MANIFEST_FILE} is not what it should be`);
}

/** Docker's own layers are plain tars; buildkit and containerd leave them compressed. */
async function describeLayer(files: FileSet, name: string, diffId: Digest): Promise<Descriptor> {
  const size = await files.sizeOf(name);
  if (size === undefined) {
    throw new OcitsError('corrupt', `the archive lacks the layer ${JSON.stringify(name)}`);
  }
  const format = compressionFormat(await readStart(files, name, MAGIC_BYTES));
  if (format === 'none') return { mediaType: OCI_LAYER, digest: diffId, size };
  const mediaType = LAYER_TYPES[format];
  if (mediaType === undefined) {
    throw new OcitsError('unsupported', `the layer ${JSON.stringify(name)} is compressed by ${format}`);
  }
  return { mediaType, digest: await digestOfFile(files, name), size };
}

/** A blob's name is its digest, which whoever stores it verifies. */
async function digestOfFile(files: FileSet, name: string): Promise<Digest> {
  const named = `sha256:${BLOB_NAME.exec(name)?.[1] ?? ''}`;
  if (isDigest(named)) return named;
  const hash = createHash('sha256');
  for await (const chunk of await files.read(name)) hash.update(chunk);
  return finishDigest('sha256', hash);
}
