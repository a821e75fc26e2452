import type { Call } from '../../call.ts';
import { OcitsError } from '../../errors.ts';
import { MANIFEST_LIMIT_BYTES } from '../../oci/parse-manifest.ts';
import type { Store } from '../../store/store.ts';
import type { BlobSupply, ImageSink, ImageSource } from './image-source.ts';

const CONCURRENCY = 3;

/** The store as a place that images come from. */
export function storeSource(store: Store): ImageSource {
  return {
    fetchManifest: async ({ digest }) => await store.blobs.read(digest, MANIFEST_LIMIT_BYTES),
    fetchBlob: async ({ digest }, offset) => ({
      body: await store.blobs.open(digest, { start: offset }),
      resumed: true,
    }),
  };
}

/** The store as a place that images go to. The caller holds a shared lease until they have their names. */
export function storeSink(store: Store): ImageSink {
  return {
    concurrency: CONCURRENCY,
    hasBlob: async ({ digest, size }) => (await store.blobs.stat(digest))?.sizeBytes === size,
    putBlob: async (supply, call) => await ingest(store, supply, call),
    putManifest: async ({ descriptor, content }) => {
      const { digest } = await store.blobs.put(content);
      if (digest === descriptor.digest) return;
      throw new OcitsError(
        'digest-mismatch',
        `the manifest that should be ${descriptor.digest} is ${digest}`,
      );
    },
    name: async (names, descriptor) => {
      if (names.length === 0) await store.refs.putAnonymous(descriptor);
      else await store.refs.putAll(names, descriptor);
    },
  };
}

async function ingest(store: Store, supply: BlobSupply, { signal }: Call): Promise<'stored' | 'exists'> {
  const { descriptor } = supply;
  const writer = await store.blobs.ingest({
    digest: descriptor.digest,
    sizeBytes: descriptor.size,
    signal,
  });
  if ('exists' in writer) return 'exists';
  await using _closed = writer;
  const { body, resumed } = await supply.open(writer.offset);
  if (!resumed && writer.offset > 0) await writer.reset();
  for await (const chunk of body) {
    signal.throwIfAborted();
    await writer.write(chunk);
    supply.onBytes?.(writer.offset);
  }
  await writer.commit();
  return 'stored';
}
