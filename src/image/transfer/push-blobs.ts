import pLimit from 'p-limit';
import { type Call, withSignal } from '../../call.ts';
import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { layerCompression } from '../../oci/media-types.ts';
import type { Registry } from '../../registry/client/registry.ts';
import type { BlobUpload, RepositoryClient, UploadOutcome } from '../../registry/registry-client.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
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
  readonly store: Store;
  readonly registry: Registry;
  readonly client: RepositoryClient;
  readonly format: 'gzip' | 'zstd';
  /** What the repository is known to have by now: several tags share it. */
  readonly there: Set<Digest>;
}

/**
 * Uploads an image's config and layers, in parallel. `isAsIs` false: layers that are uncompressed are compressed, and
 * uploaded meanwhile. The caller holds a lease.
 */
export async function pushBlobs(
  context: PushContext,
  call: Call,
  image: Image,
  isAsIs: boolean,
): Promise<void> {
  const { store } = context;
  const group = new TaskGroup(call.signal);
  const inGroup = withSignal(call, group.signal);
  const uploads = pLimit(UPLOADS);
  const compressions = pLimit(COMPRESSIONS);
  const { layers, config } = image.manifest;
  const positions = new Map(layers.map((layer, position) => [layer.digest, position]));
  const pushLayer = async (position: number) => {
    const layer = layers[position]!;
    const isPlain = !isAsIs && layerCompression(layer.mediaType) === 'none';
    let early: Promise<EarlyOutcome> | undefined;
    const onContent = (making: LayerInTheMaking) => {
      if (uploads.activeCount < UPLOADS) early = uploads(() => sendEarly(context, inGroup, making, layer));
      else making.content.destroy();
    };
    try {
      const options = {
        format: context.format,
        onContent: layer.size < EARLY_BYTES ? undefined : onContent,
      };
      const compress = () => compressedLayer(store, inGroup, image, position, options);
      const form = isPlain ? await compressions(compress) : layer;
      const sent = (await early) ?? 'failed';
      if (sent === 'failed') await uploads(() => pushBlob(context, inGroup, form, layer));
      else await noteSent(context, form, layerRow(form, layer, call), { state: sent });
    } finally {
      await early;
    }
  };
  for (const position of positions.values()) {
    layerProgress(layers[position]!, call.emit).state('waiting');
    void group.add(pushLayer(position));
  }
  void group.add(uploads(() => pushBlob(context, inGroup, config, undefined)));
  await group.finish();
}

type EarlyOutcome = Awaited<ReturnType<RepositoryClient['streamBlob']>>;

/** Sends a layer while it is compressed. What it shows is that it is compressed, as long as it is. */
async function sendEarly(
  { client }: PushContext,
  call: Call,
  { content, whole }: LayerInTheMaking,
  layer: Descriptor,
): Promise<EarlyOutcome> {
  let row: LayerProgress | undefined;
  const digest = whole.then((made) => {
    row = layerRow({ size: made.sizeBytes }, layer, call);
    return made.digest;
  });
  const onBytes = (bytes: number) => row?.bytes('uploading', bytes);
  return await client.streamBlob({ content, digest, onBytes }, call);
}

/** The progress of a blob, as the layer that the image lists. */
function layerRow({ size }: Pick<Descriptor, 'size'>, layer: Descriptor, { emit }: Call): LayerProgress {
  return layerProgress({ ...layer, size }, emit);
}

/** Uploads one blob, where the repository lacks it. `layer`: the one that it is shown as. */
async function pushBlob(
  context: PushContext,
  call: Call,
  blob: Descriptor,
  layer: Descriptor | undefined,
): Promise<void> {
  const { store, client, there } = context;
  call.signal.throwIfAborted();
  const progress = layer === undefined ? undefined : layerRow(blob, layer, call);
  if (there.has(blob.digest)) return progress?.state('exists');
  const origins = await blobOrigins(store, blob.digest);
  const upload: BlobUpload = {
    digest: blob.digest,
    sizeBytes: blob.size,
    open: async () => {
      await makePresent(context, call, blob, origins);
      return await store.blobs.open(blob.digest);
    },
    mountFrom: origins,
    onBytes: (bytes) => progress?.bytes('uploading', bytes),
  };
  await noteSent(context, blob, progress, await client.uploadBlob(upload, call));
}

async function noteSent(
  { store, client, there }: PushContext,
  blob: Descriptor,
  progress: LayerProgress | undefined,
  outcome: UploadOutcome,
): Promise<void> {
  there.add(blob.digest);
  await addBlobOrigin(store, blob.digest, client.reference);
  progress?.state(outcome.state, {
    ...(outcome.state === 'uploaded' ? { bytes: blob.size } : {}),
    ...(outcome.state === 'mounted' ? { from: outcome.from } : {}),
  });
}

/** A layer of a base that was never fetched is fetched now, where it cannot be mounted. */
async function makePresent(
  { store, registry }: PushContext,
  call: Call,
  blob: Descriptor,
  [origin]: readonly Repository[],
): Promise<void> {
  if ((await store.blobs.stat(blob.digest)) !== undefined) return;
  if (origin === undefined) {
    throw new OcitsError(
      'not-found',
      `layer ${blob.digest} is not in the store, and where it came from is not known`,
      {
        hint: 'pull the image that it is from again',
      },
    );
  }
  await fetchIntoStore(store, call, registry.repository(origin), blob);
}
