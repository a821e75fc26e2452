import { Readable } from 'node:stream';
import { createZstdDecompress, zstdDecompressSync } from 'node:zlib';
import { isErrno, OcitsError } from '../../errors.ts';
import { ZstdFrame } from './zstd-frame.ts';

const CHUNK_BYTES = 256 * 1024;
const SMALL_FRAME_BYTES = 64 * 1024;
const SMALL_CONTENT_BYTES = 1024 * 1024;

/**
 * RFC 8878: the content of all frames of a zstd file; skippable ones are skipped. Node's own decoder ends silently
 * after the first frame, so each frame gets one. Throws `corrupt` where something else stands between frames or the
 * last one is cut off.
 */
export async function* unzstd(input: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const queue = new FrameQueue(input);
  try {
    do yield* decodeFrame(queue);
    while (await queue.hasMore());
  } finally {
    await queue.close();
  }
}

/** Small frames at once: some tools make one a file, and a stream for each takes four times as long. */
async function* decodeFrame(queue: FrameQueue): AsyncGenerator<Buffer, void, undefined> {
  const frame = new ZstdFrame();
  const parts = queue.take(frame);
  const first: Buffer[] = [];
  let total = 0;
  while (!frame.isDone && total < SMALL_FRAME_BYTES) {
    const { value } = await parts.next();
    if (frame.kind === 'skippable') continue;
    first.push(value!);
    total += value!.length;
  }
  if (frame.kind === 'skippable') return;
  const small = frame.isDone ? decodeSmall(Buffer.concat(first)) : undefined;
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

/** A stream of chunks, cut where frames end. */
class FrameQueue {
  readonly #input: AsyncIterator<Buffer>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(input: AsyncIterable<Buffer>) {
    this.#input = input[Symbol.asyncIterator]();
  }

  async hasMore(): Promise<boolean> {
    while (this.#chunk.length === 0) {
      const next = await this.#input.next();
      if (next.done === true) return false;
      this.#chunk = next.value;
    }
    return true;
  }

  /** The bytes of a frame that has begun with none, until it is done. */
  async *take(frame: ZstdFrame): AsyncGenerator<Buffer, void, undefined> {
    while (!frame.isDone) {
      if (!(await this.hasMore())) throw new OcitsError('corrupt', 'a zstd layer is cut off');
      const taken = frame.take(this.#chunk);
      if (frame.kind === 'none') throw new OcitsError('corrupt', 'a zstd layer has bytes that are no frame');
      const part = this.#chunk.subarray(0, taken);
      this.#chunk = this.#chunk.subarray(taken);
      yield part;
    }
  }

  async close(): Promise<void> {
    await this.#input.return?.();
  }
}
