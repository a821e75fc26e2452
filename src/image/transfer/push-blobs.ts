import pLimit from 'p-limit';
import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { layerCompression } from '../../oci/media-types.ts';
import type { NewsSink } from '../../progress.ts';
import type { Registry } from '../../registry/client/registry.ts';
import type { RepositoryClient, UploadOutcome } from '../../registry/registry-client.ts';
import type { Image, ImageHost } from '../image.ts';
import { addBlobOrigin, blobOrigins, type Repository } from './blob-origins.ts';
import { compressedLayer, type LayerInTheMaking } from './compressed-image.ts';
import { fetchIntoStore } from './fetch-blob.ts';
import { type LayerProgress, layerProgress } from './layer-progress.ts';
import { TaskGroup } from './task-group.ts';

const UPLOADS = 5;
/** From this size on a layer is sent while it is compressed, at the price of asking for it only then. */
const EARLY_BYTES = 8 * 1024 * 1024;
/** Compressing uses all cores by itself; two at once fill the pauses at its start and end. */
const COMPRESSIONS = 2;

export interface PushContext {
  readonly host: ImageHost;
  readonly registry: Registry;
  readonly client: RepositoryClient;
  readonly format: 'gzip' | 'zstd';
  /** What the repository is known to have by now: several tags share it. */
  readonly there: Set<Digest>;
  readonly signal: AbortSignal | undefined;
}

/**
 * Uploads an image's config and layers, in parallel. `isAsIs` false: layers that are uncompressed are compressed, and
 * uploaded meanwhile. The caller holds a lease.
 */
export async function pushBlobs(context: PushContext, image: Image, isAsIs: boolean): Promise<void> {
  const { emit, store } = context.host;
  const group = new TaskGroup(context.signal);
  const inGroup = { ...context, signal: group.signal };
  const uploads = pLimit(UPLOADS);
  const compressions = pLimit(COMPRESSIONS);
  const { layers, config } = image.manifest;
  const positions = new Map(layers.map((layer, position) => [layer.digest, position]));
  const pushLayer = async (position: number) => {
    const layer = layers[position]!;
    const isPlain = !isAsIs && layerCompression(layer.mediaType) === 'none';
    let early: Promise<EarlyOutcome> | undefined;
    const onContent = (making: LayerInTheMaking) => {
      if (uploads.activeCount < UPLOADS) early = uploads(() => sendEarly(inGroup, making, layer));
      else making.content.destroy();
    };
    try {
      const options = {
        ...{ format: context.format, emit, signal: group.signal },
        ...(layer.size < EARLY_BYTES ? {} : { onContent }),
      };
      const compress = () => compressedLayer(store, image, position, options);
      const form = isPlain ? await compressions(compress) : layer;
      const sent = (await early) ?? 'failed';
      if (sent === 'failed') await uploads(() => pushBlob(inGroup, form, layer));
      else await noteSent(inGroup, form, layerRow(form, layer, emit), { state: sent });
    } finally {
      await early;
    }
  };
  for (const position of positions.values()) {
    layerProgress(layers[position]!, emit).state('waiting');
    group.add(pushLayer(position));
  }
  group.add(uploads(() => pushBlob(inGroup, config, undefined)));
  await group.finish();
}

type EarlyOutcome = Awaited<ReturnType<RepositoryClient['streamBlob']>>;

/** Sends a layer while it is compressed. What it shows is that it is compressed, as long as it is. */
async function sendEarly(
  { client, host, signal }: PushContext,
  { content, whole }: LayerInTheMaking,
  layer: Descriptor,
): Promise<EarlyOutcome> {
  let row: LayerProgress | undefined;
  const digest = whole.then((made) => {
    row = layerRow({ size: made.sizeBytes }, layer, host.emit);
    return made.digest;
  });
  const onBytes = (bytes: number) => row?.bytes('uploading', bytes);
  return await client.streamBlob({ content, digest, onBytes, ...(signal === undefined ? {} : { signal }) });
}

/** The progress of a blob, as the layer that the image lists. */
function layerRow({ size }: Pick<Descriptor, 'size'>, layer: Descriptor, emit: NewsSink): LayerProgress {
  return layerProgress({ ...layer, size }, emit);
}

/** Uploads one blob, where the repository lacks it. `layer`: the one that it is shown as. */
async function pushBlob(
  context: PushContext,
  blob: Descriptor,
  layer: Descriptor | undefined,
): Promise<void> {
  const { host, client, there, signal } = context;
  signal?.throwIfAborted();
  const progress = layer === undefined ? undefined : layerRow(blob, layer, host.emit);
  if (there.has(blob.digest)) return progress?.state('exists');
  const origins = await blobOrigins(host.store, blob.digest);
  const outcome = await client.uploadBlob({
    digest: blob.digest,
    sizeBytes: blob.size,
    open: async () => {
      await makePresent(context, blob, origins);
      return await host.store.blobs.open(blob.digest);
    },
    mountFrom: origins,
    onBytes: (bytes) => progress?.bytes('uploading', bytes),
    ...(signal === undefined ? {} : { signal }),
  });
  await noteSent(context, blob, progress, outcome);
}

async function noteSent(
  { host, client, there }: PushContext,
  blob: Descriptor,
  progress: LayerProgress | undefined,
  outcome: UploadOutcome,
): Promise<void> {
  there.add(blob.digest);
  await addBlobOrigin(host.store, blob.digest, client.reference);
  progress?.state(outcome.state, {
    ...(outcome.state === 'uploaded' ? { bytes: blob.size } : {}),
    ...(outcome.state === 'mounted' ? { from: outcome.from } : {}),
  });
}

/** A layer of a base that was never fetched is fetched now, where it cannot be mounted. */
async function makePresent(
  { host, registry, signal }: PushContext,
  blob: Descriptor,
  [origin]: readonly Repository[],
): Promise<void> {
  if ((await host.store.blobs.stat(blob.digest)) !== undefined) return;
  if (origin === undefined) {
    throw new OcitsError(
      'not-found',
      `layer ${blob.digest} is not in the store, and where it came from is not known`,
      {
        hint: 'pull the image that it is from again',
      },
    );
  }
  await fetchIntoStore(host.store, registry.repository(origin), blob, { signal });
}
