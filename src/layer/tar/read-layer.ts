/**
 * The room of layer tars: a reader that calls a visitor for each change, and a writer whose output is the same for
 * the same changes. The snapshotter and builds call both; `import` reads by it. All that comes in is hostile until it
 * is checked: names, sizes, headers, the ratio of compression. The reader writes nothing to the disk.
 *
 *     const { diffId } = await readLayer({ path, compression: 'gzip', sizeBytes }, visitor, { signal });
 *     using writer = createLayerWriter('layer.tar');
 *     const mtime = { seconds: 0, nanoseconds: 0 };
 *     writer.add({ type: 'directory', path: 'app', mode: 0o755, uid: 0, gid: 0, mtime });
 *     const { index } = writer.finish();
 */

import { createHash } from 'node:crypto';
import { OcitsError } from '../../errors.ts';
import { type Digest, type DigestAlgorithm, finishDigest } from '../../oci/digest.ts';
import { boundedContent } from '../compress/bounded-content.ts';
import type { LayerSource } from '../layer-change.ts';
import { DEFAULT_LIMITS, type LayerLimits } from '../layer-limits.ts';
import type { LayerVisitor } from '../layer-visitor.ts';
import { TarReader } from './reader.ts';

export interface ReadLayerOptions {
  /** How the uncompressed stream is hashed; the default is sha256. */
  readonly algorithm?: DigestAlgorithm | undefined;
  readonly limits?: Partial<LayerLimits> | undefined;
  readonly signal?: AbortSignal | undefined;
  /** See DecompressOptions. */
  readonly pipePath?: string | undefined;
  /** Called about once a MiB, and at the end, with all uncompressed bytes so far. */
  readonly onBytes?: ((uncompressedBytes: number) => void) | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
  /** See TarReaderOptions. */
  readonly skipsRoot?: boolean | undefined;
}

export interface ReadLayerResult {
  /** Of the whole uncompressed stream, with whatever follows the archive's end. The caller compares it. */
  readonly diffId: Digest;
  readonly sizeBytes: number;
  readonly entries: number;
}

const REPORT_BYTES = 1024 * 1024;

/**
 * Decompresses and reads the layer at `source.path`, and calls `visitor` for all that is in it. Memory stays bounded
 * whatever the layer's size, and the visitor's synchronous work holds the stream back. Made for a worker thread.
 *
 * Throws `hostile` and `corrupt` (naming the entry), `unsupported` for entries of an unknown type, `aborted`, and
 * what the visitor throws. What the visitor made until then is the caller's to delete.
 */
export async function readLayer(
  source: LayerSource,
  visitor: LayerVisitor,
  options: ReadLayerOptions = {},
): Promise<ReadLayerResult> {
  const { algorithm = 'sha256', limits, signal, pipePath, onBytes = () => {} } = options;
  const hash = createHash(algorithm);
  const reader = new TarReader(visitor, options);
  const bounds = { ...DEFAULT_LIMITS, ...limits };
  let sizeBytes = 0;
  let reported = 0;
  for await (const chunk of boundedContent(source, {
    transient: true,
    limits,
    signal,
    pipePath,
  })) {
    sizeBytes += chunk.length;
    hash.update(chunk);
    reader.push(chunk);
    refuseNamesBomb(source, reader.entries, bounds);
    if (sizeBytes - reported < REPORT_BYTES) continue;
    reported = sizeBytes;
    onBytes(sizeBytes);
  }
  reader.end();
  onBytes(sizeBytes);
  return { diffId: finishDigest(algorithm, hash), sizeBytes, entries: reader.entries };
}

/** A few compressed bytes can name very many files, each of which takes the host its time. */
function refuseNamesBomb(
  { compression, sizeBytes }: LayerSource,
  entries: number,
  { entriesFloor, minEntryBytes }: LayerLimits,
): void {
  if (compression === 'none' || entries <= entriesFloor || entries * minEntryBytes <= sizeBytes) return;
  throw new OcitsError(
    'hostile',
    `the layer has more than ${entriesFloor} entries in ${sizeBytes} compressed bytes, fewer than ${minEntryBytes} bytes each`,
    { hint: 'this looks like an attack; a layer that is not compressed may have as many as it likes' },
  );
}
