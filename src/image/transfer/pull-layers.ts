import pLimit from 'p-limit';
import { type Call, withSignal } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { layerCompression } from '../../oci/media-types.ts';
import type { RepositoryClient } from '../../registry/registry-client.ts';
import type { SnapshotKey } from '../../snapshotter/snapshotter.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
import { type FetchOptions, fetchIntoStore } from './fetch-blob.ts';
import { LayerFetch } from './layer-fetch.ts';
import { layerProgress } from './layer-progress.ts';
import { TaskGroup } from './task-group.ts';
import { findSnapshots, unpackLayer } from './unpack.ts';

/** What is wanted of an image's layers: nothing, their blobs, or their snapshots, too. */
export type LayerDepth = 'config' | 'layers' | 'unpacked';

export interface KnownLayer {
  readonly hasBlob: boolean;
  /** Its snapshot; undefined where it is not unpacked. */
  readonly key: SnapshotKey | undefined;
}

const DOWNLOADS = 4;
/** A smaller layer comes in a moment, for which it should not hold a thread. */
const FOLLOW_BYTES = 1024 * 1024;

/** What of each layer is there. */
export async function layerStates(engine: Engine, image: Image): Promise<KnownLayer[]> {
  const { blobs: blobStore } = await engine.store();
  const stats = image.manifest.layers.map(({ digest }) => blobStore.stat(digest));
  const [blobs, keys] = [await Promise.all(stats), await findSnapshots(engine, image)];
  return image.manifest.layers.map(({ size }, index) => ({
    hasBlob: blobs[index]?.sizeBytes === size,
    key: keys[index],
  }));
}

/** Whether nothing is left to fetch or unpack. */
export function isComplete(states: readonly KnownLayer[], depth: LayerDepth): boolean {
  if (depth === 'config') return true;
  return states.every(({ hasBlob, key }) => hasBlob && (depth === 'layers' || key !== undefined));
}

export interface PullLayersOptions {
  readonly states: readonly KnownLayer[];
  readonly depth: LayerDepth;
  /** Which repository to ask for a layer. */
  readonly clientFor: (layer: Descriptor) => Promise<RepositoryClient>;
}

/**
 * Fetches the layers that are missing, the largest first, and unpacks each one while it comes. What is there is
 * neither fetched nor unpacked again, and said to be so. The caller holds a lease.
 */
export async function pullLayers(
  engine: Engine,
  call: Call,
  image: Image,
  options: PullLayersOptions,
): Promise<void> {
  const { states, depth } = options;
  const store = await engine.store();
  const group = new TaskGroup(call.signal);
  const inGroup = withSignal(call, group.signal);
  const fetches = fetchAll(store, inGroup, image, options, group);
  const keys: Promise<SnapshotKey>[] = [];
  for (const [index, layer] of image.manifest.layers.entries()) {
    const { key: known, hasBlob } = states[index]!;
    if (hasBlob && (known !== undefined || depth !== 'unpacked')) {
      layerProgress(layer, call.emit).state('exists');
    }
    if (depth !== 'unpacked') continue;
    const fetch = fetches.get(layer.digest);
    const parents = keys.slice();
    const unpack = async () => {
      if (known === undefined) return await unpackIncoming(engine, inGroup, image, { index, parents, fetch });
      await fetch?.ended;
      return known;
    };
    keys.push(group.add(unpack()));
  }
  try {
    await group.finish();
  } finally {
    for (const fetch of fetches.values()) await fetch.close();
  }
}

interface LayerToPull {
  readonly index: number;
  readonly parents: readonly Promise<SnapshotKey>[];
  /** Undefined where the layer is in the store. */
  readonly fetch: LayerFetch | undefined;
}

/** Unpacks a layer from the bytes that come; anew where these begin anew, for there may have been wrong ones. */
async function unpackIncoming(
  engine: Engine,
  call: Call,
  image: Image,
  { index, parents, fetch }: LayerToPull,
): Promise<SnapshotKey> {
  const layer = image.manifest.layers[index]!;
  const compression = layerCompression(layer.mediaType);
  for (;;) {
    await using content = await fetch?.take();
    if (content === undefined || compression === undefined) {
      await fetch?.ended;
      return await unpackLayer(engine, call, image, { index, parents });
    }
    try {
      const incoming = { content, compression, fetched: fetch!.ended };
      return await unpackLayer(engine, call, image, { index, parents, incoming });
    } catch (error) {
      // Of bytes that turn out to be wrong nothing follows.
      if ((await content.outcome) === 'whole') throw error;
    }
  }
}

function fetchAll(
  store: Store,
  call: Call,
  { manifest }: Image,
  { states, depth, clientFor }: PullLayersOptions,
  group: TaskGroup,
): Map<Digest, LayerFetch> {
  const limit = pLimit(DOWNLOADS);
  const missing = manifest.layers.filter((_, index) => depth !== 'config' && !states[index]!.hasBlob);
  const unique = [...new Map(missing.map((layer) => [layer.digest, layer])).values()];
  for (const layer of unique) layerProgress(layer, call.emit).state('waiting');
  // The largest one takes longest to unpack, so it must not come last.
  unique.sort((a, b) => b.size - a.size);
  const fetch = async (layer: Descriptor, onContent: FetchOptions['onContent']) => {
    call.signal.throwIfAborted();
    await fetchLayer(store, call, await clientFor(layer), layer, onContent);
  };
  const start = (layer: Descriptor) => {
    const isFollowed = depth === 'unpacked' && layer.size >= FOLLOW_BYTES;
    return new LayerFetch((offer) => group.add(limit(fetch, layer, isFollowed ? offer : undefined)));
  };
  return new Map(unique.map((layer) => [layer.digest, start(layer)]));
}

async function fetchLayer(
  store: Store,
  call: Call,
  client: RepositoryClient,
  layer: Descriptor,
  onContent: FetchOptions['onContent'],
): Promise<void> {
  const progress = layerProgress(layer, call.emit);
  const onBytes = (bytes: number) => progress.bytes('downloading', bytes);
  const isNew = await fetchIntoStore(store, call, client, layer, { onBytes, onContent });
  progress.state(isNew ? 'downloaded' : 'exists', { bytes: layer.size });
}
