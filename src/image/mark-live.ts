import { isOcitsError } from '../errors.ts';
import { chainIds } from '../oci/chain-id.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Store } from '../store/store.ts';
import { isIndex, readImageConfig, readIndex, readManifest } from './read-image.ts';

/** Content that something besides names needs: a container, a record of the build cache. */
export interface LiveContent {
  /** Manifests or indexes, with all that they refer to. */
  readonly manifests?: readonly Descriptor[];
  /** Stacks of layers by diffID, lowest first: their blobs, indexes and snapshots. */
  readonly stacks?: readonly (readonly Digest[])[];
  readonly blobs?: readonly Digest[];
}

/** Lists what one kind of holder needs. An error stops the collection: what cannot be read is not garbage. */
export type RootSource = () => Promise<readonly LiveContent[]>;

/** What must stay. */
export interface LiveSet {
  readonly blobs: Set<Digest>;
  readonly diffIds: Set<Digest>;
  readonly chainIds: Set<Digest>;
}

/** All that refs, nameless images and `roots` reach. */
export async function markLive(store: Store, roots: readonly RootSource[]): Promise<LiveSet> {
  const live = emptyLiveSet();
  for (const { descriptor } of await store.refs.list()) await markDescriptor(store, descriptor, live);
  for (const { descriptor } of await store.refs.anonymous()) await markDescriptor(store, descriptor, live);
  for (const root of roots) {
    for (const content of await root()) {
      for (const descriptor of content.manifests ?? []) await markDescriptor(store, descriptor, live);
      for (const stack of content.stacks ?? []) markStack(stack, live);
      for (const digest of content.blobs ?? []) live.blobs.add(digest);
    }
  }
  await markCompressedForms(store, live);
  return live;
}

/** What one manifest or index reaches. */
export async function markOne(store: Store, descriptor: Descriptor): Promise<LiveSet> {
  const live = emptyLiveSet();
  await markDescriptor(store, descriptor, live);
  await markCompressedForms(store, live);
  return live;
}

function emptyLiveSet(): LiveSet {
  return { blobs: new Set(), diffIds: new Set(), chainIds: new Set() };
}

async function markDescriptor(store: Store, descriptor: Descriptor, live: LiveSet): Promise<void> {
  if (live.blobs.has(descriptor.digest)) return;
  live.blobs.add(descriptor.digest);
  await unlessUnreadable(async () => {
    if (isIndex(descriptor)) {
      for (const child of (await readIndex(store, descriptor)).manifests) {
        await markDescriptor(store, child, live);
      }
      return;
    }
    const manifest = await readManifest(store, descriptor);
    for (const { digest } of [manifest.config, ...manifest.layers]) live.blobs.add(digest);
    const config = await readImageConfig(store, manifest.config);
    markStack(config.rootfs.diff_ids, live);
  });
}

/** A layer's uncompressed tar has the diffID as its digest. */
function markStack(diffIds: readonly Digest[], live: LiveSet): void {
  for (const diffId of diffIds) {
    live.diffIds.add(diffId);
    live.blobs.add(diffId);
  }
  for (const chainId of chainIds(diffIds)) live.chainIds.add(chainId);
}

async function markCompressedForms(store: Store, live: LiveSet): Promise<void> {
  for (const diffId of live.diffIds) {
    for (const { digest } of (await store.compressed.get(diffId)).forms) live.blobs.add(digest);
  }
}

/** What is not there, or is no image, leads nowhere; all other failures stop the collection. */
async function unlessUnreadable(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isOcitsError(error, 'not-found', 'unsupported', 'hostile', 'size-mismatch', 'corrupt')) throw error;
  }
}
