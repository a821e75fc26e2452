import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { isOcitsError } from '../../errors.ts';
import type { FileEntry, LayerChange } from '../../layer/layer-change.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm } from '../../oci/digest.ts';
import type { Store } from '../../store/store.ts';
import type { Image } from '../image.ts';
import { layerSource } from './layer-source.ts';

/**
 * What the files of each of an image's layers hold, lowest first: the same number whether or not a layer is unpacked.
 * What was never counted is counted once, in the layer's index or in the layer itself, and remembered. A layer that is
 * not there, or that cannot be read, has the size that its manifest says.
 */
export async function layerSizes(
  engine: Engine,
  { signal }: Call,
  { manifest, config }: Image,
): Promise<number[]> {
  const store = await engine.store();
  const sizes: number[] = [];
  for (const [position, layer] of manifest.layers.entries()) {
    sizes.push(
      (await contentBytes(store, config.rootfs.diff_ids[position]!, { layer, signal })) ?? layer.size,
    );
  }
  return sizes;
}

/** The image's size as Docker counts it: what the files of its layers hold. */
export async function imageSize(engine: Engine, call: Call, image: Image): Promise<number> {
  return total(await layerSizes(engine, call, image));
}

/** The same for layers that are there by their diffIDs, whatever became of their image; what is unknown counts nothing. */
export async function stackSize(engine: Engine, diffIds: readonly Digest[]): Promise<number> {
  const store = await engine.store();
  return total(await Promise.all(diffIds.map(async (diffId) => (await contentBytes(store, diffId)) ?? 0)));
}

function total(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A layer that may be read where nothing else says what its files hold. */
interface Readable {
  readonly layer: Descriptor;
  readonly signal: AbortSignal;
}

async function contentBytes(store: Store, diffId: Digest, readable?: Readable): Promise<number | undefined> {
  const known = (await store.compressed.get(diffId)).contentBytes;
  if (known !== undefined) return known;
  const counted =
    (await countInIndex(store, diffId)) ??
    (readable === undefined ? undefined : await countInLayer(store, diffId, readable));
  // A list must not fail because the disk is full or may not be written: it is counted again then.
  if (counted !== undefined) await store.compressed.addContentBytes(diffId, counted).catch(() => {});
  return counted;
}

async function countInIndex({ paths }: Store, diffId: Digest): Promise<number | undefined> {
  const { openIndexStore } = await import('../../layer/index/index-store.ts');
  const index = await openIndexStore(paths.root).get(diffId);
  if (index === undefined) return undefined;
  let sum = 0;
  for (let position = 0; position < index.count; position++) {
    if (index.typeAt(position) === 'file') sum += (index.at(position) as FileEntry).sizeBytes;
  }
  return sum;
}

/** Reads a layer that nobody has unpacked. Undefined where it is not there, is damaged, or is not the layer of that diffID. */
async function countInLayer(
  store: Store,
  diffId: Digest,
  { layer, signal }: Readable,
): Promise<number | undefined> {
  const { readLayer } = await import('../../layer/tar/read-layer.ts');
  let sum = 0;
  const change = (entry: LayerChange) => {
    if (entry.type === 'file') sum += entry.sizeBytes;
  };
  try {
    const source = await layerSource(store, layer, diffId);
    const options = { algorithm: digestAlgorithm(diffId), signal };
    const read = await readLayer(source, { change, data: () => {}, fileEnd: () => {} }, options);
    return read.diffId === diffId ? sum : undefined;
  } catch (error) {
    if (!isOcitsError(error, 'not-found', 'corrupt', 'hostile', 'unsupported', 'size-mismatch')) throw error;
    return undefined;
  }
}
