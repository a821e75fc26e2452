import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { isOcitsError } from '../errors.ts';
import { type Digest, digestAlgorithm, finishDigest } from '../oci/digest.ts';
import type { BlobStore } from './blob-store.ts';

export type BlobState = 'whole' | 'missing' | 'damaged';

/** Reads a blob from the disk and compares it with its digest (and with `sizeBytes` where given). Changes nothing. */
export async function verifyBlob(
  blobs: BlobStore,
  digest: Digest,
  options: { readonly sizeBytes?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<BlobState> {
  const algorithm = digestAlgorithm(digest);
  const hash = createHash(algorithm);
  try {
    const info = await blobs.stat(digest);
    if (info === undefined) return 'missing';
    if (options.sizeBytes !== undefined && options.sizeBytes !== info.sizeBytes) return 'damaged';
    const { signal } = options;
    const content = await blobs.open(digest);
    const count = async (source: AsyncIterable<Uint8Array>) => {
      for await (const chunk of source) hash.update(chunk);
    };
    await (signal === undefined ? pipeline(content, count) : pipeline(content, count, { signal }));
  } catch (error) {
    if (isOcitsError(error, 'not-found')) return 'missing';
    throw error;
  }
  return finishDigest(algorithm, hash) === digest ? 'whole' : 'damaged';
}
