import pLimit from 'p-limit';
import { type Call, withSignal } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { RepositoryClient } from '../../registry/registry-client.ts';
import type { SnapshotKey } from '../../snapshotter/snapshotter.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
import { fetchIntoStore } from './fetch-blob.ts';
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
 * Fetches the layers that are missing, the largest first, and unpacks each one as soon as it is there, while others
 * come. What is there is neither fetched nor unpacked again, and said to be so. The caller holds a lease.
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
  const fetched = fetchAll(store, inGroup, image, options, group);
  const keys: Promise<SnapshotKey>[] = [];
  for (const [index, layer] of image.manifest.layers.entries()) {
    const { key: known, hasBlob } = states[index]!;
    if (hasBlob && (known !== undefined || depth !== 'unpacked')) {
      layerProgress(layer, call.emit).state('exists');
    }
    if (depth !== 'unpacked') continue;
    const parents = keys.slice();
    const unpack = async () => {
      await fetched.get(layer.digest);
      return known ?? (await unpackLayer(engine, inGroup, image, { index, parents }));
    };
    keys.push(group.add(unpack()));
  }
  await group.finish();
}

function fetchAll(
  store: Store,
  call: Call,
  { manifest }: Image,
  { states, depth, clientFor }: PullLayersOptions,
  group: TaskGroup,
): Map<Digest, Promise<void>> {
  const limit = pLimit(DOWNLOADS);
  const missing = manifest.layers.filter((_, index) => depth !== 'config' && !states[index]!.hasBlob);
  const unique = [...new Map(missing.map((layer) => [layer.digest, layer])).values()];
  for (const layer of unique) layerProgress(layer, call.emit).state('waiting');
  // The largest one takes longest to unpack, so it must not come last.
  unique.sort((a, b) => b.size - a.size);
  const fetch = async (layer: Descriptor) => {
    call.signal.throwIfAborted();
    await fetchLayer(store, call, await clientFor(layer), layer);
  };
  return new Map(unique.map((layer) => [layer.digest, group.add(limit(fetch, layer))]));
}

async function fetchLayer(
  store: Store,
  call: Call,
  client: RepositoryClient,
  layer: Descriptor,
): Promise<void> {
  const progress = layerProgress(layer, call.emit);
  const onBytes = (bytes: number) => progress.bytes('downloading', bytes);
  const isNew = await fetchIntoStore(store, call, client, layer, onBytes);
  progress.state(isNew ? 'downloaded' : 'exists', { bytes: layer.size });
}
