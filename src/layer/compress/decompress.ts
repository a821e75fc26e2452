import { createReadStream, existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { isErrno, OcitsError, wrapError } from '../../errors.ts';
import { FileGrowth } from '../../system/file/file-growth.ts';
import { type CompressedFile, nameOfFile } from '../compression-format.ts';
import { freeing } from './free-chunks.ts';
import { growingContent } from './growing-content.ts';
import { runDecompressor } from './program.ts';
import { unzstd } from './unzstd.ts';

export interface DecompressOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether programs of the host may do what Node can; the default is true. They are faster, the result is the same. */
  readonly programs?: boolean | undefined;
  /**
   * Whether a chunk is done with when the next is asked for: its memory is used again or given back then. The default
   * is false, which takes more memory.
   */
  readonly transient?: boolean | undefined;
  /**
   * A free name for a pipe to a program, for a thread that nothing else waits for: it is read with blocking calls then,
   * which take less, and whose chunks are transient.
   */
  readonly pipePath?: string | undefined;
}

/** zlib's default of 16 KiB costs more than half of its speed. */
const CHUNK_BYTES = 512 * 1024;
const READ_BYTES = 128 * 1024;

/** Below this a program's start costs more than it saves. */
const PROGRAM_FLOOR_BYTES = 1024 * 1024;

/**
 * The uncompressed bytes of a layer, as chunks. A slow reader holds the decompressor back. All members of a gzip file
 * and all frames of a zstd file count. Throws `corrupt` on damage, on a cut-off stream and on anything that follows it,
 * `missing-program` for xz and bzip2, `aborted`, and what the disk says.
 *
 * A file that is still being written is read as it grows: its content ends only once the file is whole and is what it
 * should be. `aborted` where that will never be.
 */
export async function* decompress(
  source: CompressedFile,
  options: DecompressOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* choose(settled(source), options);
    if (source.growth !== undefined) await new FileGrowth(source.growth).whole(options.signal);
  } catch (error) {
    if (options.signal?.aborted) {
      throw new OcitsError('aborted', 'reading a layer was interrupted', { cause: error });
    }
    const code = isErrno(error, 'ENOENT') ? 'not-found' : 'corrupt';
    throw wrapError(error, code, `cannot read ${nameOfFile(source)}`);
  }
}

/** A file that has become whole is a file as any other. */
function settled(source: CompressedFile): CompressedFile {
  const isWhole = source.growth !== undefined && new FileGrowth(source.growth).isWhole;
  return isWhole ? { ...source, growth: undefined } : source;
}

function choose(source: CompressedFile, options: DecompressOptions): AsyncIterable<Buffer> {
  const { compression, sizeBytes, growth } = source;
  const { pipePath, ...withoutPipe } = options;
  const isTransient = options.transient === true;
  if (compression === 'none' && growth !== undefined) return growingContent(source, options);
  if (compression === 'none') return isTransient ? readPlain(source, options) : read(source, options);
  const given = (chunks: AsyncIterable<Buffer>) => (isTransient ? freeing(chunks) : chunks);
  if (compression === 'xz' || compression === 'bzip2') {
    return given(runDecompressor(compression, source, withoutPipe));
  }
  // zstd(1) was measured: Node's own decoder takes less, as no pipe lies between.
  if (compression === 'zstd') return given(unzstd(read(source, options)));
  const mayRun = options.programs !== false && sizeBytes >= PROGRAM_FLOOR_BYTES;
  const igzip = mayRun ? IGZIP.find((path) => existsSync(path)) : undefined;
  if (igzip === undefined) return given(gunzip(source, options));
  return pipePath === undefined ? given(igunzip(igzip, source, options)) : igunzip(igzip, source, options);
}

/** By absolute path: what PATH names may be anything. */
const IGZIP = ['/usr/bin/igzip', '/usr/local/bin/igzip'];

function read(source: CompressedFile, { signal }: DecompressOptions): Readable {
  if (source.growth !== undefined) {
    return Readable.from(growingContent(source, { signal }), { objectMode: false });
  }
  const { path } = source;
  return createReadStream(path, { highWaterMark: READ_BYTES, signal });
}

/** Reads into two buffers in turn: the next is filled while the consumer works on the other. */
async function* readPlain(
  { path }: CompressedFile,
  { signal }: DecompressOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path, 'r');
  let buffer: Buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let spare: Buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let pending = file.read(buffer);
  try {
    for (let { bytesRead } = await pending; bytesRead > 0; { bytesRead } = await pending) {
      signal?.throwIfAborted();
      const chunk = buffer.subarray(0, bytesRead);
      [buffer, spare] = [spare, buffer];
      pending = file.read(buffer);
      pending.catch(() => {});
      yield chunk;
    }
  } finally {
    await pending.catch(() => {});
    await file.close();
  }
}

async function* gunzip(
  source: CompressedFile,
  options: DecompressOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const input = read(source, options);
  const decoder = createGunzip({ chunkSize: CHUNK_BYTES });
  input.once('error', (error) => decoder.destroy(error));
  try {
    yield* input.pipe(decoder);
  } finally {
    input.destroy();
    decoder.destroy();
  }
  // zlib ends silently at zeros after a member, which Go's reader refuses.
  if (decoder.bytesWritten !== source.sizeBytes) throw trailingBytes(source);
}

/**
 * igzip ends with 0 whatever follows the last member, so its output is held against the end of the file. Who forges that
 * end gains nothing: the content is the same, only zlib would have refused it.
 */
async function* igunzip(
  program: string,
  source: CompressedFile,
  options: DecompressOptions,
): AsyncGenerator<Buffer, void, undefined> {
  let total = 0;
  for await (const chunk of runDecompressor(program, source, options)) {
    total += chunk.length;
    yield chunk;
  }
  if (source.growth !== undefined) await new FileGrowth(source.growth).whole(options.signal);
  if ((await readLength(source, options)) === total % 2 ** 32) return;
  // Several members, or bytes that belong to none: only zlib knows.
  for await (const _chunk of gunzip(settled(source), options));
}

/** RFC 1952: a gzip file ends with its last member's size modulo 2³². */
async function readLength(source: CompressedFile, { signal }: DecompressOptions): Promise<number> {
  const end = createReadStream(source.path, {
    start: Math.max(source.sizeBytes - 4, 0),
    signal,
  });
  const bytes = Buffer.concat(await Array.fromAsync(end as AsyncIterable<Buffer>));
  return bytes.length === 4 ? bytes.readUInt32LE(0) : -1;
}

function trailingBytes(source: CompressedFile): OcitsError {
  return new OcitsError('corrupt', `${nameOfFile(source)} has bytes after its end`);
}
