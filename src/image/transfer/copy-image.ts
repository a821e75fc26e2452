import { type Call, withSignal } from '../../call.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Manifest } from '../../oci/manifest.ts';
import { CONFIG_LIMIT_BYTES, parseImageConfig } from '../../oci/parse-image-config.ts';
import { parseManifestOrIndex } from '../../oci/parse-manifest.ts';
import type { Reference } from '../../oci/reference.ts';
import type { LayerState } from '../../progress.ts';
import { mapPool } from '../../system/task/pool.ts';
import { isAttestation } from '../catalog/choose-image.ts';
import { checkAnnouncedSize, checkImageManifest, checkLayerCount, isIndex } from '../catalog/read-image.ts';
import type { BlobSupply, ImageSink, ImageSource, ManifestContent } from './image-source.ts';
import { layerProgress } from './layer-progress.ts';

export interface CopyOptions {
  /** What layers are said to do and to have done; the default is downloading and downloaded. */
  readonly states?: { readonly busy: LayerState; readonly done: LayerState } | undefined;
}

const INCOMING = { busy: 'downloading', done: 'downloaded' } as const;

/**
 * Copies what `root` points at, an image or an index with all images that the source has of it, then names it. Blobs
 * come before the manifests that list them. Throws as source and sink do; `hostile` for manifests that cannot be;
 * `not-found` where the source has no image of an index.
 */
export async function copyImage(
  source: ImageSource,
  sink: ImageSink,
  image: { readonly root: Descriptor; readonly names: readonly Reference[] },
  call: Call,
  options: CopyOptions = {},
): Promise<void> {
  const root = { descriptor: image.root, content: await source.fetchManifest(image.root, call) };
  if (isIndex(root.descriptor)) await copyIndex(source, sink, root, call, options);
  else await copyManifest(source, sink, root, call, options);
  await sink.name(image.names, root.descriptor, call);
}

async function copyIndex(
  source: ImageSource,
  sink: ImageSink,
  root: ManifestContent,
  call: Call,
  options: CopyOptions,
): Promise<void> {
  const parsed = parseManifestOrIndex(root.content, root.descriptor.mediaType);
  if (parsed.kind !== 'index') throw new OcitsError('internal', 'an index was expected');
  let copied = 0;
  for (const child of parsed.index.manifests) {
    if (isAttestation(child) || isIndex(child)) continue;
    const manifest = await fetchIfThere(source, child, call);
    if (manifest === undefined) continue;
    await copyManifest(source, sink, manifest, call, options);
    copied++;
  }
  if (copied === 0)
    throw new OcitsError('not-found', `none of the images of ${root.descriptor.digest} is there`);
  await sink.putManifest(root, call);
}

async function fetchIfThere(
  source: ImageSource,
  descriptor: Descriptor,
  call: Call,
): Promise<ManifestContent | undefined> {
  try {
    return { descriptor, content: await source.fetchManifest(descriptor, call) };
  } catch (error) {
    if (isOcitsError(error, 'not-found')) return undefined;
    throw error;
  }
}

async function copyManifest(
  source: ImageSource,
  sink: ImageSink,
  content: ManifestContent,
  call: Call,
  options: CopyOptions,
): Promise<void> {
  const parsed = parseManifestOrIndex(content.content, content.descriptor.mediaType);
  if (parsed.kind !== 'manifest') throw new OcitsError('internal', 'a manifest was expected');
  const { manifest } = parsed;
  checkImageManifest(manifest);
  await checkConfig(source, manifest, call);
  const layers = [...new Map(manifest.layers.map((layer) => [layer.digest, layer])).values()];
  for (const layer of layers) layerProgress(layer, call.emit).state('waiting');
  await copyBlob(source, sink, { descriptor: manifest.config, kind: 'config' }, call, options);
  const pool = { limit: sink.concurrency, signal: call.signal };
  await mapPool(layers, pool, async (descriptor, signal) => {
    await copyBlob(source, sink, { descriptor, kind: 'layer' }, withSignal(call, signal), options);
  });
  await sink.putManifest(content, call);
}

/** A config that does not fit its manifest is found before gigabytes of layers are copied. */
async function checkConfig(source: ImageSource, manifest: Manifest, call: Call): Promise<void> {
  checkAnnouncedSize(manifest.config, CONFIG_LIMIT_BYTES);
  const { body } = await source.fetchBlob(manifest.config, 0, call);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > manifest.config.size) break;
    chunks.push(Buffer.from(chunk));
  }
  if (size !== manifest.config.size) {
    throw new OcitsError(
      'size-mismatch',
      `the image config ${manifest.config.digest} has another size than announced`,
    );
  }
  checkLayerCount(manifest, parseImageConfig(Buffer.concat(chunks)));
}

async function copyBlob(
  source: ImageSource,
  sink: ImageSink,
  { descriptor, kind }: Pick<BlobSupply, 'descriptor' | 'kind'>,
  call: Call,
  options: CopyOptions,
): Promise<void> {
  const states = options.states ?? INCOMING;
  const progress = kind === 'layer' ? layerProgress(descriptor, call.emit) : undefined;
  if (await sink.hasBlob(descriptor, call)) return progress?.state('exists');
  const supply: BlobSupply = {
    descriptor,
    kind,
    open: async (offset) => await source.fetchBlob(descriptor, offset, call),
    onBytes: (bytes) => progress?.bytes(states.busy, bytes),
  };
  const outcome = await sink.putBlob(supply, call);
  progress?.state(outcome === 'stored' ? states.done : outcome, { bytes: descriptor.size });
}
