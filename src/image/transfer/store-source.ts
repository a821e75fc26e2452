import type { Call } from '../../call.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { MANIFEST_LIMIT_BYTES } from '../../oci/parse-manifest.ts';
import type { BlobWriter } from '../../store/blob-store.ts';
import type { Store } from '../../store/store.ts';
import { blobOrigins } from './blob-origins.ts';
import type { BlobSupply, ImageSink, ImageSource, ManifestContent } from './image-source.ts';

const CONCURRENCY = 4;

/** The store as a place that images come from. */
export function storeSource(store: Store): ImageSource {
  return {
    fetchManifest: async ({ digest }) => await store.blobs.read(digest, MANIFEST_LIMIT_BYTES),
    fetchBlob: async ({ digest }, offset) => ({
      body: await store.blobs.open(digest, { start: offset }),
      resumed: true,
    }),
    origins: async (digest) => await blobOrigins(store, digest),
  };
}

/** A source of which nothing is fetched that the store has. */
export function storeBefore(store: Store, source: ImageSource): ImageSource {
  const own = storeSource(store);
  const where = async ({ digest, size }: Descriptor) =>
    (await store.blobs.stat(digest))?.sizeBytes === size ? own : source;
  return {
    ...source,
    fetchManifest: async (descriptor, call) =>
      await (await where(descriptor)).fetchManifest(descriptor, call),
    fetchBlob: async (descriptor, offset, call) =>
      await (await where(descriptor)).fetchBlob(descriptor, offset, call),
  };
}

/** The store as a place that images go to. The caller holds a shared lease until they have their names. */
export function storeSink(store: Store): ImageSink {
  return {
    concurrency: CONCURRENCY,
    takesPartialIndex: true,
    hasBlob: async ({ digest, size }) => (await store.blobs.stat(digest))?.sizeBytes === size,
    putBlob: async (supply, call) => ({ state: await ingest(store, supply, call) }),
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
async function ingest(store: Store, supply: BlobSupply, call: Call): Promise<'stored' | 'exists'> {
  const { digest, size: sizeBytes } = supply.descriptor;
  for (let isAnew = false; ; ) {
    const writer = await store.blobs.ingest({ digest, sizeBytes, signal: call.signal });
    if ('exists' in writer) return 'exists';
    await using _closed = writer;
    if (isAnew) await writer.reset();
    const outcome = await take(supply, writer, call);
    if (outcome === 'stored') return 'stored';
    isAnew = outcome === 'anew';
  }
}

/** `elsewhere`: another place may do better; `anew`: so may the same one, without what was there before. */
async function take(
  { descriptor, open, onBytes, onContent }: BlobSupply,
  writer: BlobWriter,
  { signal }: Call,
): Promise<'stored' | 'elsewhere' | 'anew'> {
  const start = writer.offset;
  let distrust = () => false;
  try {
    if (start < descriptor.size) {
      const opened = await open(start);
      distrust = opened.distrust ?? distrust;
      if (!opened.resumed && start > 0) await writer.reset();
      if (onContent !== undefined) onContent(await writer.follow());
      for await (const chunk of opened.body) {
        signal.throwIfAborted();
        await writer.write(chunk);
        onBytes?.(writer.offset);
      }
    }
    await writer.commit();
    return 'stored';
  } catch (error) {
    const isWrong = isOcitsError(error, 'digest-mismatch', 'size-mismatch');
    // What was there already may have been damaged, or cannot be continued here.
    if (isWrong && start > 0) return 'anew';
    if ((isWrong || isOcitsError(error, 'network')) && distrust()) return 'elsewhere';
    throw error;
  }
}

async function putManifest(store: Store, { descriptor, content }: ManifestContent): Promise<void> {
  const { digest } = await store.blobs.put(content);
  if (digest === descriptor.digest) return;
  throw new OcitsError('digest-mismatch', `the manifest that should be ${descriptor.digest} is ${digest}`);
}
