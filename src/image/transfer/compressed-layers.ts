import { join } from 'node:path';
import type { Call } from '../../call.ts';
import { type CompressedLayer, compressLayer } from '../../layer/compress/compress-layer.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import {
  type Compression,
  layerCompression,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  ociMediaType,
} from '../../oci/media-types.ts';
import type { Store } from '../../store/store.ts';
import { temporaryName } from '../../system/file/atomic-file.ts';
import { GrowingFile } from '../../system/file/growing-file.ts';
import { partialFolder } from '../../system/paths.ts';
import { withLock } from '../../system/task/lock.ts';
import type { Image } from '../image.ts';
import { encodeManifest, imageManifest } from './commit-image.ts';
import type { BlobInTheMaking } from './image-source.ts';
import type { FindLayer } from './origin-source.ts';
import type { OutgoingForms } from './outgoing-forms.ts';

export interface CompressionOptions {
  readonly format: Exclude<Compression, 'none'>;
  /** Whether a manifest of Docker's media types may stay as it is: a registry takes it, an OCI layout does not. */
  readonly mayBeDocker: boolean;
  /** Where the uncompressed ones are. */
  readonly find: FindLayer;
}

/**
 * Images of the store as they leave: an OCI manifest in which no layer is uncompressed. Layers that are compressed
 * stay what they are, and need not be in the store; the others are compressed, once for all times, and kept. An image
 * whose manifest is that already keeps it, and so its digest. Its config and so its ID are the same.
 */
export function compressedLayers(
  store: Store,
  { format, mayBeDocker, find }: CompressionOptions,
): OutgoingForms {
  return {
    layer: async (image, position, call, onContent) => {
      const layer = image.manifest.layers[position]!;
      if (layerCompression(layer.mediaType) !== 'none') return layer;
      return await compressedLayer(store, image, { position, format, find, onContent }, call);
    },
    known: async ({ manifest, config }, position) => {
      const layer = manifest.layers[position]!;
      if (layerCompression(layer.mediaType) !== 'none') return layer;
      return await knownForm(store, config.rootfs.diff_ids[position]!, format);
    },
    manifest: ({ manifest }, layers) => {
      const isWhole = manifest.layers.every((layer, position) => layer === layers[position]);
      const isOci = [manifest.config, ...layers].every(
        ({ mediaType }) => ociMediaType(mediaType) === mediaType,
      );
      if (isWhole && (isOci || mayBeDocker)) return undefined;
      return encodeManifest(imageManifest(withOciType(manifest.config), layers.map(withOciType)));
    },
  };
}

interface LayerToCompress {
  readonly position: number;
  readonly format: CompressionOptions['format'];
  readonly find: FindLayer;
  /**
   * Called where the layer has to be compressed, with the compressed bytes while they come: to be read or destroyed.
   */
  readonly onContent: ((content: BlobInTheMaking) => void) | undefined;
}

/**
 * The descriptor of a compressed form of an uncompressed layer, whose blob is in the store then. Two processes that
 * need it compress it once.
 */
async function compressedLayer(
  store: Store,
  image: Image,
  options: LayerToCompress,
  call: Call,
): Promise<Descriptor> {
  const diffId = image.config.rootfs.diff_ids[options.position]!;
  const early = await knownForm(store, diffId, options.format);
  if (early !== undefined) return early;
  const lockPath = join(store.paths.run, 'locks', `blob-compress-${diffId.replace(':', '-')}`);
  const lock = { mode: 'exclusive', signal: call.signal } as const;
  return await withLock(lockPath, lock, async () => {
    const late = await knownForm(store, diffId, options.format);
    return late ?? (await compress(store, image, options, call));
  });
}

async function compress(
  store: Store,
  image: Image,
  { position, format, find, onContent }: LayerToCompress,
  call: Call,
): Promise<Descriptor> {
  const { emit, signal } = call;
  const diffId = image.config.rootfs.diff_ids[position]!;
  const layer = image.manifest.layers[position]!;
  const { path, compression, sizeBytes: totalBytes } = await find(layer, diffId, call);
  if (compression !== 'none') return (await knownForm(store, diffId, compression))!;
  const target = temporaryName(partialFolder(store.paths.root));
  const making = new Making(target, onContent);
  try {
    const compressed = await compressLayer(path, target, {
      format,
      onBytes: (bytes) => {
        making.grew();
        emit({ type: 'layer', digest: diffId, state: 'compressing', bytes, totalBytes });
      },
      signal,
    });
    making.end(compressed);
    const { digest, sizeBytes } = await store.blobs.adopt(target, compressed.digest);
    const form = { mediaType: format === 'gzip' ? OCI_LAYER_GZIP : OCI_LAYER_ZSTD, digest, size: sizeBytes };
    await store.compressed.add(diffId, form, totalBytes);
    return form;
  } catch (error) {
    making.fail(error);
    throw error;
  }
}

/** Shows a file to whoever wants to read it while it is made. */
class Making {
  readonly #path: string;
  readonly #whole = Promise.withResolvers<CompressedLayer>();
  readonly #onContent: LayerToCompress['onContent'];
  #content: GrowingFile | undefined;

  constructor(path: string, onContent: LayerToCompress['onContent']) {
    this.#path = path;
    this.#onContent = onContent;
    this.#whole.promise.catch(() => {});
  }

  /** The file is there, and more of it each time. */
  grew(): void {
    if (this.#content === undefined && this.#onContent !== undefined) {
      this.#content = new GrowingFile(this.#path);
      this.#onContent({ content: this.#content, whole: this.#whole.promise });
    }
    this.#content?.grew();
  }

  end(compressed: CompressedLayer): void {
    this.#whole.resolve(compressed);
    this.#content?.end();
  }

  fail(error: unknown): void {
    this.#whole.reject(error);
    this.#content?.destroy(error as Error);
  }
}

async function knownForm(
  store: Store,
  diffId: Digest,
  format: Exclude<Compression, 'none'>,
): Promise<Descriptor | undefined> {
  for (const form of (await store.compressed.get(diffId)).forms) {
    if (layerCompression(form.mediaType) !== format) continue;
    if ((await store.blobs.stat(form.digest))?.sizeBytes === form.size) return withOciType(form);
  }
  return undefined;
}

function withOciType(descriptor: Descriptor): Descriptor {
  return { ...descriptor, mediaType: ociMediaType(descriptor.mediaType) };
}
