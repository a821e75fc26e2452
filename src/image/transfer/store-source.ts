import type { Call } from '../../call.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { BlobWriter } from '../../store/blob-store.ts';
import type { Store } from '../../store/store.ts';
import { type ManifestContent, storeDocuments } from '../image-documents.ts';
import type { BlobBody, BlobOutcome, BlobSupply, ImageSink, ImageSource } from './image-source.ts';

const CONCURRENCY = 4;
/** A blob that comes faster is done with sooner where nobody reads it meanwhile, as long as the cores are busy anyway. */
const FOLLOW_AFTER_MS = 1000;

/** The store as a place that images come from. */
export function storeSource(store: Store): ImageSource {
  return {
    documents: () => storeDocuments(store),
    fetchBlob: async ({ digest }, offset) => ({
      body: await store.blobs.open(digest, { start: offset }),
      resumed: true,
    }),
    origins: async (digest) => await store.origins.get(digest),
  };
}

/** The store as a place that images go to. The caller holds a shared lease until they have their names. */
export function storeSink(store: Store): ImageSink {
  return {
    concurrency: CONCURRENCY,
    takesPartialIndex: true,
    hasBlob: async ({ digest, size }) => (await store.blobs.stat(digest))?.sizeBytes === size,
    putBlob: (supply, call) => ingest(store, supply, call),
    putManifest: async (manifest) => await putManifest(store, manifest),
    putRoot: async (manifest, names) => {
      await putManifest(store, manifest);
      if (names.length === 0) await store.refs.putAnonymous(manifest.descriptor);
      else await store.refs.putAll(names, manifest.descriptor);
    },
  };
}

/**
 * Goes on where an earlier, interrupted copy stopped; digest and size are verified. A place whose bytes are wrong is
 * left for the source's next one. `exists` where the blob was there, or another process has fetched it.
 */
async function ingest(store: Store, supply: BlobSupply, call: Call): Promise<BlobOutcome> {
  const { descriptor, source } = supply;
  const { digest, size: sizeBytes } = descriptor;
  for (let isAnew = false; ; ) {
    const writer = await store.blobs.ingest({ digest, sizeBytes, signal: call.signal });
    if ('exists' in writer) return { state: 'exists' };
    await using _closed = writer;
    if (isAnew) await writer.reset();
    const start = writer.offset;
    let fetched: BlobBody | undefined;
    try {
      if (start < sizeBytes) {
        fetched = await source.fetchBlob(descriptor, start, call);
        if (!fetched.resumed && start > 0) await writer.reset();
        await write(writer, fetched.body, supply, call);
      }
      await writer.commit();
      return { state: 'stored' };
    } catch (error) {
      const isWrong = isOcitsError(error, 'digest-mismatch', 'size-mismatch');
      // What was there already may have been damaged, or cannot be continued here.
      isAnew = isWrong && start > 0;
      if (isAnew) continue;
      const mayGoElsewhere = isWrong || isOcitsError(error, 'network');
      if (!mayGoElsewhere || fetched?.distrust?.() !== true) throw error;
    }
  }
}

async function write(
  writer: BlobWriter,
  body: AsyncIterable<Uint8Array>,
  { onBytes, onContent, hurried }: BlobSupply,
  { signal }: Call,
): Promise<void> {
  const followsFrom = hurried === true ? 0 : performance.now() + FOLLOW_AFTER_MS;
  let isFollowed = onContent === undefined;
  for await (const chunk of body) {
    signal.throwIfAborted();
    await writer.write(chunk);
    onBytes?.(writer.offset);
    if (isFollowed || performance.now() < followsFrom) continue;
    isFollowed = true;
    onContent?.(await writer.follow());
  }
}

async function putManifest(store: Store, { descriptor, content }: ManifestContent): Promise<void> {
  const { digest } = await store.blobs.put(content);
  if (digest === descriptor.digest) return;
  throw new OcitsError('digest-mismatch', `the manifest that should be ${descriptor.digest} is ${digest}`);
}
