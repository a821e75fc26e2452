import { availableParallelism } from 'node:os';
import pLimit, { type LimitFunction } from 'p-limit';
import { type Call, withSignal } from '../../call.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { LayerState } from '../../progress.ts';
import { TaskGroup } from '../../system/task/task-group.ts';
import type { Image } from '../image.ts';
import type { BlobInTheMaking, BlobOutcome, BlobSupply, ImageSink, ImageSource } from './image-source.ts';
import { LayerFetch } from './layer-fetch.ts';
import { type LayerProgress, layerProgress } from './layer-progress.ts';
import type { OutgoingForms } from './outgoing-forms.ts';

/** What layers are said to do and to have done. */
export interface CopyStates {
  readonly busy: LayerState;
  readonly done: LayerState;
}

const INCOMING: CopyStates = { busy: 'downloading', done: 'downloaded' };
export const OUTGOING: CopyStates = { busy: 'uploading', done: 'uploaded' };

/**
 * What is done with a layer besides copying it: called once for each, lowest first. `fetch` is its way into the sink;
 * undefined: it is there. Gives nothing where nothing is left to do. The first failure of any layer aborts the call's
 * signal.
 */
export type FollowLayer = (
  index: number,
  fetch: LayerFetch | undefined,
  call: Call,
) => Promise<unknown> | undefined;

export interface CopyLayersOptions {
  /** The default is downloading and downloaded. */
  readonly states?: CopyStates | undefined;
  readonly forms?: OutgoingForms | undefined;
  readonly follow?: FollowLayer | undefined;
  /** The bytes of the config, which goes first; none: it is there. */
  readonly config?: Buffer | undefined;
  /** False: the config only. */
  readonly withLayers?: boolean | undefined;
}

/** From this size on, a layer is sent while it is made. The price is that the sink is asked for it only then. */
const EARLY_BYTES = 8 * 1024 * 1024;
/** A smaller layer comes in a moment: it is not worth holding a thread that follows it. */
const FOLLOW_BYTES = 1024 * 1024;
/** Nor is it worth starting one before it is known how long the layer takes. */
const HURRY_BYTES = 8 * 1024 * 1024;
/** Making a form uses all cores by itself; two at once fill the pauses at its start and end. */
const FORMS_AT_ONCE = 2;

/**
 * Copies an image's config and layers, as many at once as the sink takes; what is there is not sent again, and said
 * to be there. Gives the layers as they went. The first failure ends the others.
 */
export async function copyLayers(
  source: ImageSource,
  sink: ImageSink,
  image: Image,
  call: Call,
  options: CopyLayersOptions,
): Promise<Descriptor[]> {
  const { config, follow, forms, states = INCOMING, withLayers = true } = options;
  const layers = withLayers ? image.manifest.layers : [];
  const missing = forms === undefined ? await missingLayers(sink, layers, call) : unique(layers);
  for (const { layer } of missing) layerProgress(layer, call.emit).state('waiting');
  // What takes longest to be done with must not come last.
  if (follow !== undefined) missing.sort((a, b) => b.layer.size - a.layer.size);
  const group = new TaskGroup(call.signal);
  const inGroup = withSignal(call, group.signal);
  const slots = pLimit(sink.concurrency);
  const job = { source, sink, image, call: inGroup, states, forms, slots, making: pLimit(FORMS_AT_ONCE) };
  if (config !== undefined) void group.add(slots(() => copyConfig(job, config)));
  const fetches = new Map<Digest, LayerFetch<Descriptor>>();
  // With as many of them as there are cores, each core has enough to do until all have come.
  const hasRoom = missing.filter(({ layer }) => layer.size >= HURRY_BYTES).length < availableParallelism();
  let turn = Promise.resolve();
  for (const { layer, position } of missing) {
    const isFollowed = follow !== undefined && layer.size >= FOLLOW_BYTES;
    const { promise, resolve: passOn } = Promise.withResolvers<void>();
    const inTurn = { turn, passOn };
    const hurried = hasRoom && layer.size >= HURRY_BYTES;
    const start = (offer: NonNullable<BlobSupply['onContent']>) =>
      group.add(copyLayer(job, position, { ...inTurn, hurried, onArrival: isFollowed ? offer : undefined }));
    fetches.set(layer.digest, new LayerFetch(start));
    // What goes while it is made is sent as it comes; all else in one order, so that archives are the same.
    if (sink.streamBlob === undefined) turn = promise;
  }
  for (const [index, layer] of layers.entries()) {
    const fetch = fetches.get(layer.digest);
    const done = follow?.(index, fetch, inGroup);
    if (done !== undefined) void group.add(done);
    else if (fetch === undefined) layerProgress(layer, call.emit).state('exists');
  }
  try {
    await group.finish();
  } finally {
    for (const fetch of fetches.values()) await fetch.close();
  }
  return await Promise.all(layers.map(async (layer) => (await fetches.get(layer.digest)?.ended) ?? layer));
}

interface PlacedLayer {
  readonly layer: Descriptor;
  readonly position: number;
}

/** Each layer once: an image may have the same one twice. */
function unique(layers: readonly Descriptor[]): PlacedLayer[] {
  const placed = new Map<Digest, PlacedLayer>();
  for (const [position, layer] of layers.entries()) {
    if (!placed.has(layer.digest)) placed.set(layer.digest, { layer, position });
  }
  return [...placed.values()];
}

async function missingLayers(
  sink: ImageSink,
  layers: readonly Descriptor[],
  call: Call,
): Promise<PlacedLayer[]> {
  const placed = unique(layers);
  const there = await Promise.all(placed.map(({ layer }) => sink.hasBlob(layer, call)));
  return placed.filter((_, index) => !there[index]);
}

/** Copies blobs of which nothing is known but their descriptors. */
export async function copyBlobs(
  source: ImageSource,
  sink: ImageSink,
  blobs: readonly Descriptor[],
  call: Call,
  { states = INCOMING }: Pick<CopyLayersOptions, 'states'>,
): Promise<void> {
  for (const { layer: blob } of unique(blobs)) {
    const progress = layerProgress(blob, call.emit);
    if (await sink.hasBlob(blob, call)) progress.state('exists');
    else await copyBlob({ source, sink, call, states }, blob, progress);
  }
}

interface Job {
  readonly source: ImageSource;
  readonly sink: ImageSink;
  readonly image: Image;
  readonly call: Call;
  readonly states: CopyStates;
  readonly forms: OutgoingForms | undefined;
  readonly slots: LimitFunction;
  readonly making: LimitFunction;
}

async function copyConfig({ source, sink, image, call }: Job, content: Buffer): Promise<void> {
  const descriptor = image.manifest.config;
  if (await sink.hasBlob(descriptor, call)) return;
  const fetchBlob = async (_: Descriptor, offset: number) => ({
    body: once(content.subarray(offset)),
    resumed: true,
  });
  await sink.putBlob({ descriptor, source: { ...source, fetchBlob } }, call);
}

async function* once(content: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  yield content;
}

interface LayerTurn {
  /**
   * Resolves when it is this layer's turn: the layers before it are ready to go. `passOn` gives the turn to the next
   * layer.
   */
  readonly turn: Promise<void>;
  readonly passOn: () => void;
  readonly onArrival: BlobSupply['onContent'];
  readonly hurried: boolean;
}

/** Gives the layer as it went. What is shown is the layer that the image lists. */
async function copyLayer(
  job: Job,
  position: number,
  { turn, passOn, onArrival, hurried }: LayerTurn,
): Promise<Descriptor> {
  const { image, forms, call, slots, sink } = job;
  const layer = image.manifest.layers[position]!;
  let early: ReturnType<typeof streamLayer> | undefined;
  const onContent = (blob: BlobInTheMaking) => {
    if (slots.activeCount < sink.concurrency) early = slots(() => streamLayer(job, blob, layer));
    else blob.content.destroy();
  };
  try {
    const mayStream = sink.streamBlob !== undefined && layer.size >= EARLY_BYTES;
    const make = () => forms?.layer(image, position, call, mayStream ? onContent : undefined);
    const form = (forms === undefined ? undefined : await job.making(make)) ?? layer;
    const state = (await early) ?? 'failed';
    const row = layerProgress({ ...layer, size: form.size }, call.emit);
    await turn;
    const copied =
      state === 'failed'
        ? slots(() => copyBlob(job, form, row, { onContent: onArrival, hurried }))
        : tell(row, { state }, form, job.states);
    passOn();
    await copied;
    return form;
  } finally {
    passOn();
    await early;
  }
}

/** Sends a layer while it is made. As long as that takes, it is shown as being made. */
async function streamLayer(
  { sink, call, states }: Job,
  blob: BlobInTheMaking,
  layer: Descriptor,
): Promise<'stored' | 'exists' | 'failed'> {
  let row: LayerProgress | undefined;
  const onBytes = (bytes: number, size: number) => {
    row ??= layerProgress({ ...layer, size }, call.emit);
    row.bytes(states.busy, bytes);
  };
  return await sink.streamBlob!(blob, call, onBytes);
}

async function copyBlob(
  { source, sink, call, states }: Pick<Job, 'source' | 'sink' | 'call' | 'states'>,
  descriptor: Descriptor,
  row: LayerProgress,
  reading: Pick<BlobSupply, 'onContent' | 'hurried'> = {},
): Promise<void> {
  call.signal.throwIfAborted();
  if (await sink.hasBlob(descriptor, call)) return row.state('exists');
  const onBytes = (bytes: number) => row.bytes(states.busy, bytes);
  tell(row, await sink.putBlob({ descriptor, source, onBytes, ...reading }, call), descriptor, states);
}

function tell(row: LayerProgress, outcome: BlobOutcome, { size }: Descriptor, states: CopyStates): void {
  if (outcome.state === 'stored') row.state(states.done, { bytes: size });
  else if (outcome.state === 'mounted') row.state('mounted', { from: outcome.from });
  else row.state('exists');
}
