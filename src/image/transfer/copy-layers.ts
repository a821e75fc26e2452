import pLimit, { type LimitFunction } from 'p-limit';
import { type Call, withSignal } from '../../call.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { LayerState } from '../../progress.ts';
import type { Image } from '../image.ts';
import type { BlobInTheMaking, BlobOutcome, BlobSupply, ImageSink, ImageSource } from './image-source.ts';
import { LayerFetch } from './layer-fetch.ts';
import { type LayerProgress, layerProgress } from './layer-progress.ts';
import type { OutgoingForms } from './outgoing-forms.ts';
import { TaskGroup } from './task-group.ts';

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

/** From this size on a layer is sent while it is made, at the price of asking for it only then. */
const EARLY_BYTES = 8 * 1024 * 1024;
/** A smaller layer comes in a moment, for which whoever follows it should not hold a thread. */
const FOLLOW_BYTES = 1024 * 1024;
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
  const missing = new Map<Digest, number>();
  for (const [position, layer] of layers.entries()) {
    if (missing.has(layer.digest)) continue;
    if (forms === undefined && (await sink.hasBlob(layer, call))) continue;
    missing.set(layer.digest, position);
    layerProgress(layer, call.emit).state('waiting');
  }
  const group = new TaskGroup(call.signal);
  const inGroup = withSignal(call, group.signal);
  const slots = pLimit(sink.concurrency);
  const making = pLimit(FORMS_AT_ONCE);
  const job = { source, sink, image, call: inGroup, states, forms, follow, slots, making, group };
  if (config !== undefined) void group.add(slots(() => copyConfig(job, config)));
  const fetches = startCopies(job, [...missing.values()]);
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

function startCopies(job: Job, positions: readonly number[]): Map<Digest, LayerFetch<Descriptor>> {
  const { sink, group, follow } = job;
  const { layers } = job.image.manifest;
  const fetches = new Map<Digest, LayerFetch<Descriptor>>();
  const order = [...positions];
  // What takes longest to be done with must not come last.
  if (follow !== undefined) order.sort((a, b) => layers[b]!.size - layers[a]!.size);
  let turn = Promise.resolve();
  for (const position of order) {
    const { digest, size } = layers[position]!;
    const isFollowed = follow !== undefined && size >= FOLLOW_BYTES;
    const { promise, resolve: passOn } = Promise.withResolvers<void>();
    const inTurn = { turn, passOn };
    const fetch = new LayerFetch((offer) =>
      group.add(copyLayer(job, position, { ...inTurn, onContent: isFollowed ? offer : undefined })),
    );
    fetches.set(digest, fetch);
    // What goes while it is made is sent as it comes; all else in one order, so that archives are the same.
    if (sink.streamBlob === undefined) turn = promise;
  }
  return fetches;
}

/** Copies blobs of which nothing is known but their descriptors. */
export async function copyBlobs(
  source: ImageSource,
  sink: ImageSink,
  blobs: readonly Descriptor[],
  call: Call,
  { states = INCOMING }: Pick<CopyLayersOptions, 'states'>,
): Promise<void> {
  const unique = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  for (const blob of unique) {
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
  readonly follow: FollowLayer | undefined;
  readonly slots: LimitFunction;
  readonly making: LimitFunction;
  readonly group: TaskGroup;
}

async function copyConfig({ source, sink, image, call }: Job, content: Buffer): Promise<void> {
  const descriptor = image.manifest.config;
  if (await sink.hasBlob(descriptor, call)) return;
  const open = async (offset: number) => ({ body: once(content.subarray(offset)), resumed: true });
  const origins = async () => (await source.origins?.(descriptor.digest)) ?? [];
  await sink.putBlob({ descriptor, open, origins }, call);
}

async function* once(content: Buffer): AsyncGenerator<Uint8Array, void, undefined> {
  yield content;
}

interface LayerTurn {
  /** The layers before have what they need to go, and it is this one's turn; `passOn` gives it to the next. */
  readonly turn: Promise<void>;
  readonly passOn: () => void;
  readonly onContent: BlobSupply['onContent'];
}

/** Gives the layer as it went. What it shows is the layer that the image lists. */
async function copyLayer(
  job: Job,
  position: number,
  { turn, passOn, onContent: onArrival }: LayerTurn,
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
        ? slots(() => copyBlob(job, form, row, onArrival))
        : tell(row, { state }, form, job.states);
    passOn();
    await copied;
    return form;
  } finally {
    passOn();
    await early;
  }
}

/** Sends a layer while it is made. What it shows is that it is made, as long as it is. */
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
  onContent?: BlobSupply['onContent'],
): Promise<void> {
  call.signal.throwIfAborted();
  if (await sink.hasBlob(descriptor, call)) return row.state('exists');
  const supply = {
    descriptor,
    open: async (offset: number) => await source.fetchBlob(descriptor, offset, call),
    origins: async () => (await source.origins?.(descriptor.digest)) ?? [],
    onBytes: (bytes: number) => row.bytes(states.busy, bytes),
    onContent,
  };
  tell(row, await sink.putBlob(supply, call), descriptor, states);
}

function tell(row: LayerProgress, outcome: BlobOutcome, { size }: Descriptor, states: CopyStates): void {
  if (outcome.state === 'stored') row.state(states.done, { bytes: size });
  else if (outcome.state === 'mounted') row.state('mounted', { from: outcome.from });
  else row.state('exists');
}
