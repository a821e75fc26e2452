import { Readable } from 'node:stream';
import { createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import { isErrno, OcitsError } from '../errors.ts';

const CHUNK_BYTES = 256 * 1024;
const SMALL_FRAME_BYTES = 64 * 1024;
const SMALL_CONTENT_BYTES = 1024 * 1024;
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

/**
 * RFC 8878: the content of all frames of a zstd file; skippable ones are skipped. Node's own decoder ends silently
 * after the first frame, so each frame gets one. Throws `corrupt` where something else stands between frames or the
 * last one is cut off.
 */
export async function* unzstd(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const bytes = new ByteQueue(input);
  try {
    do {
      const magic = (await bytes.peek(4)).readUInt32LE(0);
      if (magic === FRAME_MAGIC) yield* decodeFrame(bytes);
      else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) await skipFrame(bytes);
      else throw new OcitsError('corrupt', 'a zstd layer has bytes that are no frame');
    } while (await bytes.hasMore());
  } finally {
    await bytes.close();
  }
}

/** Small frames at once: some tools make one a file, and a stream for each takes four times as long. */
async function* decodeFrame(bytes: ByteQueue): AsyncGenerator<Buffer, void, undefined> {
  const parts = frameBytes(bytes);
  const first: Buffer[] = [];
  let total = 0;
  let isWhole = false;
  while (!isWhole && total < SMALL_FRAME_BYTES) {
    const next = await parts.next();
    isWhole = next.done === true;
    if (next.done === true) break;
    first.push(next.value);
    total += next.value.length;
  }
  const small = isWhole ? decodeSmall(Buffer.concat(first)) : undefined;
  if (small !== undefined) yield small;
  else yield* decodeStream(continued(first, parts));
}

/** Undefined where the content is not small. */
function decodeSmall(frame: Buffer): Buffer | undefined {
  try {
    return zstdDecompressSync(frame, { maxOutputLength: SMALL_CONTENT_BYTES });
  } catch (error) {
    if (isErrno(error, 'ERR_BUFFER_TOO_LARGE')) return undefined;
    throw error;
  }
}

async function* continued(first: readonly Buffer[], rest: AsyncIterable<Buffer>) {
  yield* first;
  yield* rest;
}

async function* decodeStream(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const decoder = createZstdDecompress({ chunkSize: CHUNK_BYTES });
  const frame = Readable.from(parts, { objectMode: false });
  frame.once('error', (error) => decoder.destroy(error));
  try {
    yield* frame.pipe(decoder);
  } finally {
    frame.destroy();
    decoder.destroy();
  }
}

async function skipFrame(bytes: ByteQueue): Promise<void> {
  const size = (await bytes.peek(8)).readUInt32LE(4);
  for await (const _part of bytes.take(8 + size));
}

/** RFC 8878 3.1.1: header, blocks up to the one marked as last, and a checksum where the header says so. */
async function* frameBytes(bytes: ByteQueue): AsyncGenerator<Buffer, void, undefined> {
  const descriptor = (await bytes.peek(5))[4]!;
  yield* bytes.take(4 + headerBytes(descriptor));
  for (let isLast = false; !isLast; ) {
    const header = (await bytes.peek(3)).readUIntLE(0, 3);
    isLast = (header & 1) === 1;
    const isRepeated = ((header >> 1) & 3) === 1;
    yield* bytes.take(3 + (isRepeated ? 1 : header >> 3));
  }
  if ((descriptor & 4) !== 0) yield* bytes.take(4);
}

function headerBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3]!;
  return 1 + (isSingleSegment ? 0 : 1) + dictionaryIdBytes + contentSizeBytes;
}

/** A stream from which exact numbers of bytes can be taken. */
class ByteQueue {
  readonly #input: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(input: AsyncIterable<Buffer>) {
    this.#input = input[Symbol.asyncIterator]();
  }

  async hasMore(): Promise<boolean> {
    return this.#buffer.length > 0 || (await this.#fill());
  }

  /** At least `count` (a few) bytes, which stay. */
  async peek(count: number): Promise<Buffer> {
    while (this.#buffer.length < count) {
      if (!(await this.#fill())) throw new OcitsError('corrupt', 'a zstd layer is cut off');
    }
    return this.#buffer;
  }

  async *take(count: number): AsyncGenerator<Buffer, void, undefined> {
    let wanted = count;
    while (wanted > 0) {
      if (!(await this.hasMore())) throw new OcitsError('corrupt', 'a zstd layer is cut off');
      const part = this.#buffer.subarray(0, wanted);
      this.#buffer = this.#buffer.subarray(part.length);
      wanted -= part.length;
      yield part;
    }
  }

  async close(): Promise<void> {
    await this.#input.return?.();
  }

  async #fill(): Promise<boolean> {
    const next = await this.#input.next();
    if (next.done === true) return false;
    this.#buffer = this.#buffer.length === 0 ? next.value : Buffer.concat([this.#buffer, next.value]);
    return true;
  }
}
