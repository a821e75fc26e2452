import { type Call, withSignal } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { nameOfFile } from '../../layer/compression-format.ts';
import type { LayerSource } from '../../layer/layer-change.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { shortDigest } from '../../oci/digest.ts';
import { type Compression, layerCompression } from '../../oci/media-types.ts';
import { warning } from '../../progress.ts';
import type { SnapshotKey } from '../../snapshotter/snapshotter.ts';
import type { FollowedBlob } from '../../store/blob-store.ts';
import type { Store } from '../../store/store.ts';
import { TaskGroup } from '../../system/task/task-group.ts';
import { layerSource } from '../catalog/layer-source.ts';
import type { Image } from '../image.ts';
import type { FollowLayer } from './copy-layers.ts';
import type { LayerFetch } from './layer-fetch.ts';
import { type LayerProgress, layerProgress } from './layer-progress.ts';

export interface UnpackOptions {
  /** Called once a layer, lowest first where they end so, with whether it had to be unpacked. */
  readonly onLayer?:
    | ((layer: { readonly index: number; readonly key: SnapshotKey; readonly isNew: boolean }) => void)
    | undefined;
}

/**
 * The snapshots of an image's layers, lowest first; those that are not there are unpacked from the store, in
 * parallel. Nothing is fetched: a layer whose blob is missing is `not-found`. Costs a few milliseconds where all are
 * there.
 */
export async function unpackImage(
  engine: Engine,
  call: Call,
  image: Image,
  options: UnpackOptions = {},
): Promise<SnapshotKey[]> {
  const early = await findSnapshots(engine, image);
  const tell = (index: number, key: SnapshotKey, isNew: boolean) => options.onLayer?.({ index, key, isNew });
  if (early.every((key) => key !== undefined)) {
    early.forEach((key, index) => {
      tell(index, key, false);
    });
    return early;
  }
  await using _lease = await (await engine.store()).leases.shared(call.signal);
  // Asked anew: until there was a lease, a prune could take more of them.
  const found = await findSnapshots(engine, image);
  const group = new TaskGroup(call.signal);
  const inGroup = withSignal(call, group.signal);
  const keys: Promise<SnapshotKey>[] = [];
  for (const [index, known] of found.entries()) {
    const parents = keys.slice();
    const made = known ?? unpackLayer(engine, inGroup, image, { index, parents });
    const told = Promise.resolve(made).then((key) => {
      tell(index, key, known === undefined);
      return key;
    });
    keys.push(group.add(told));
  }
  await group.finish();
  return await Promise.all(keys);
}

/** The snapshot of each layer that is unpacked already. */
export async function findSnapshots(engine: Engine, { config }: Image): Promise<(SnapshotKey | undefined)[]> {
  const diffIds = config.rootfs.diff_ids;
  const snapshotter = await engine.snapshotter();
  const found = diffIds.map((_, index) => snapshotter.stat(diffIds.slice(0, index + 1)));
  return (await Promise.all(found)).map((info) => info?.key);
}

/** Unpacks the layers of an image as their bytes come into the store, and those that are there. */
export async function unpackMeanwhile(engine: Engine, image: Image): Promise<FollowLayer> {
  const found = await findSnapshots(engine, image);
  const keys: (SnapshotKey | Promise<SnapshotKey>)[] = [];
  return (index, fetch, call) => {
    const known = found[index];
    if (known !== undefined) return void keys.push(known);
    const made = unpackIncoming(engine, call, image, { index, parents: keys.slice(), fetch });
    keys.push(made);
    return made;
  };
}

interface LayerOnItsWay {
  readonly index: number;
  readonly parents: LayerToUnpack['parents'];
  /** Undefined where the layer is in the store. */
  readonly fetch: LayerFetch | undefined;
}

/**
 * Unpacks a layer from the bytes as they come. Where these begin anew, so does the unpacking: those before may have
 * been wrong.
 */
async function unpackIncoming(
  engine: Engine,
  call: Call,
  image: Image,
  { index, parents, fetch }: LayerOnItsWay,
): Promise<SnapshotKey> {
  const compression = layerCompression(image.manifest.layers[index]!.mediaType);
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
      // Nothing follows from bytes that turn out to be wrong.
      if ((await content.outcome) === 'whole') throw error;
    }
  }
}

interface LayerToUnpack {
  readonly index: number;
  readonly parents: readonly (SnapshotKey | Promise<SnapshotKey>)[];
  /** The layer's own blob on its way into the store; else some form of the layer is there. */
  readonly incoming?: IncomingBlob | undefined;
}

interface IncomingBlob {
  readonly content: FollowedBlob;
  readonly compression: Compression;
  /** Settles once the fetch has ended and was told so. */
  readonly fetched: Promise<unknown>;
}

/**
 * Unpacks one layer of the image from the store, or while its blob comes there, and remembers that this blob has this
 * content. The snapshot appears once the blob is in the store. Throws `aborted` where an incoming blob is dropped.
 */
async function unpackLayer(
  engine: Engine,
  { signal, emit }: Call,
  image: Image,
  { index, parents, incoming }: LayerToUnpack,
): Promise<SnapshotKey> {
  const [store, snapshotter] = await Promise.all([engine.store(), engine.snapshotter()]);
  const diffIds = image.config.rootfs.diff_ids.slice(0, index + 1);
  const diffId = diffIds.at(-1)!;
  const layer = image.manifest.layers[index]!;
  const source =
    incoming === undefined ? await layerSource(store, layer, diffId) : incomingSource(store, layer, incoming);
  const isOwnBlob = incoming !== undefined || source.path === store.blobs.path(layer.digest);
  // A layer is shown as being fetched for as long as it is.
  let progress: LayerProgress | undefined;
  const show = () => {
    progress = layerProgress(layer, emit);
    progress.state('unpacking');
  };
  if (incoming === undefined) show();
  else incoming.fetched.then(show, () => {});
  let plainBytes: number | undefined;
  const key = await snapshotter.apply({
    parents,
    diffIds,
    source,
    signal,
    onBytes: (bytes) => progress?.bytes('unpacking', bytes),
    onWhole: (bytes) => {
      plainBytes = bytes;
    },
    onWarning: (text) => emit(warning(`layer ${shortDigest(layer.digest)}: ${text}`)),
  });
  await incoming?.fetched;
  // A layer that another process has unpacked meanwhile was not read here, so nobody knows what this blob holds.
  if (plainBytes !== undefined && isOwnBlob && source.compression !== 'none') {
    await store.compressed.add(diffId, layer, plainBytes);
  }
  progress?.state('unpacked', { bytes: plainBytes });
  return key;
}

/** A blob on its way into the store, under the name that errors would give it there. */
function incomingSource(
  store: Store,
  { digest, size: sizeBytes }: Descriptor,
  { content: { path, growth }, compression }: IncomingBlob,
): LayerSource {
  const name = nameOfFile({ path: store.blobs.path(digest), compression, sizeBytes });
  return { path, compression, sizeBytes, name, growth };
}
