import { isOcitsError } from '../../errors.ts';
import { chainIds } from '../../oci/chain-id.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseImageConfig } from '../../oci/parse-image-config.ts';
import type { RootSource } from '../../store/content-roots.ts';
import type { Store } from '../../store/store.ts';
import { readDocument } from '../catalog/read-image.ts';
import { storeDocuments } from '../image-documents.ts';

/** What must stay. */
export interface LiveSet {
  readonly blobs: Set<Digest>;
  readonly diffIds: Set<Digest>;
  readonly chainIds: Set<Digest>;
}

/** All that refs, nameless images and `roots` reach. */
export async function markLive(store: Store, roots: readonly RootSource[]): Promise<LiveSet> {
  const marks = newMarks();
  for (const { descriptor } of await store.refs.list()) await markDescriptor(store, descriptor, marks);
  for (const { descriptor } of await store.refs.anonymous()) await markDescriptor(store, descriptor, marks);
  for (const root of roots) {
    for (const content of await root()) {
      for (const descriptor of content.manifests ?? []) await markDescriptor(store, descriptor, marks);
      for (const stack of content.stacks ?? []) markStack(stack, marks.live);
      for (const digest of content.blobs ?? []) marks.live.blobs.add(digest);
    }
  }
  await markCompressedForms(store, marks.live);
  return marks.live;
}

/** What one manifest or index reaches. */
export async function markOne(store: Store, descriptor: Descriptor): Promise<LiveSet> {
  const marks = newMarks();
  await markDescriptor(store, descriptor, marks);
  await markCompressedForms(store, marks.live);
  return marks.live;
}

interface Marks {
  readonly live: LiveSet;
  /**
   * The manifests and indexes that were followed, by all that their descriptors say. One image may call another one's
   * manifest a layer, or give it a wrong type or size. That descriptor leads nowhere, and the right one is still to be
   * followed.
   */
  readonly followed: Set<string>;
}

function newMarks(): Marks {
  return { live: { blobs: new Set(), diffIds: new Set(), chainIds: new Set() }, followed: new Set() };
}

async function markDescriptor(store: Store, descriptor: Descriptor, marks: Marks): Promise<void> {
  const { live, followed } = marks;
  const key = `${descriptor.digest} ${descriptor.size} ${descriptor.mediaType}`;
  if (followed.has(key)) return;
  followed.add(key);
  live.blobs.add(descriptor.digest);
  const documents = storeDocuments(store);
  await unlessUnreadable(async () => {
    const document = await readDocument(documents, descriptor);
    if (document.kind === 'index') {
      for (const child of document.index.manifests) await markDescriptor(store, child, marks);
      return;
    }
    const { manifest } = document;
    for (const { digest } of [manifest.config, ...manifest.layers]) live.blobs.add(digest);
    const config = parseImageConfig(await documents.config(manifest.config));
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
