import type { Call } from '../../call.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestOf } from '../../oci/digest.ts';
import type { RepositoryClient } from '../../registry/registry-client.ts';
import type { BlobWriter, FollowedBlob } from '../../store/blob-store.ts';
import type { Store } from '../../store/store.ts';
import { checkAnnouncedSize } from '../catalog/read-image.ts';

export interface FetchOptions {
  /** Told of all bytes that are there so far, with those of an earlier, interrupted download. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
  /**
   * Given the blob each time that its bytes begin to come, to be read meanwhile and disposed of. Where the one before
   * has not become whole by then, it was dropped.
   */
  readonly onContent?: ((content: FollowedBlob) => void) | undefined;
}

/**
 * Fetches a blob into the store, where an earlier download stopped; digest and size are verified. A source whose
 * bytes are wrong is left for the next one. False where the blob was there, or another process has fetched it.
 */
export async function fetchIntoStore(
  store: Store,
  call: Call,
  client: RepositoryClient,
  descriptor: Descriptor,
  options: FetchOptions = {},
): Promise<boolean> {
  const { digest, size: sizeBytes } = descriptor;
  for (let isAnew = false; ; ) {
    const writer = await store.blobs.ingest({ digest, sizeBytes, signal: call.signal });
    if ('exists' in writer) return false;
    await using _closed = writer;
    if (isAnew) await writer.reset();
    const outcome = await download(call, client, descriptor, writer, options);
    if (outcome === 'stored') return true;
    isAnew = outcome === 'anew';
  }
}

/** `elsewhere`: another source may do better; `anew`: so may the same one, without what was there before. */
async function download(
  call: Call,
  client: RepositoryClient,
  descriptor: Descriptor,
  writer: BlobWriter,
  { onBytes, onContent }: FetchOptions,
): Promise<'stored' | 'elsewhere' | 'anew'> {
  const start = writer.offset;
  let distrust = () => false;
  try {
    if (start < descriptor.size) {
      const fetched = await client.fetchBlob(descriptor, start, call);
      distrust = fetched.distrust;
      if (!fetched.resumed && start > 0) await writer.reset();
      onContent?.(await writer.follow());
      for await (const chunk of fetched.body) {
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

/** A small blob (a config) in memory, verified, and kept in the store. `limitBytes` goes for its announced size. */
export async function fetchSmallBlob(
  store: Store,
  call: Call,
  client: RepositoryClient,
  descriptor: Descriptor,
  limitBytes: number,
): Promise<void> {
  const { digest, size } = descriptor;
  if ((await store.blobs.stat(digest))?.sizeBytes === size) return;
  checkAnnouncedSize(descriptor, limitBytes);
  if (!digest.startsWith('sha256:')) {
    await fetchIntoStore(store, call, client, descriptor);
    return;
  }
  for (;;) {
    const { body, distrust } = await client.fetchBlob(descriptor, 0, call);
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    const content = Buffer.concat(chunks);
    const found = digestOf(content);
    if (found === digest) {
      await store.blobs.put(content);
      return;
    }
    if (!distrust()) throw new OcitsError('digest-mismatch', `content that should be ${digest} is ${found}`);
  }
}
