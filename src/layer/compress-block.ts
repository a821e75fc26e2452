import { promisify } from 'node:util';
import { constants, deflateRaw, zstdCompress } from 'node:zlib';

/** What is compressed by itself; where blocks end depends on nothing but the input. */
export const BLOCK_BYTES = 1024 * 1024;

const deflate = promisify(deflateRaw);
const zstd = promisify(zstdCompress);

/** Output of incompressible input is a little larger; one piece saves a trip to the thread pool for each further one. */
const OUTPUT_BYTES = BLOCK_BYTES + 4096;

const SAMPLE_BYTES = 8 * 1024;
const MAX_STORED_BYTES = 0xffff;

/**
 * RFC 1951: the block as deflate blocks that refer to nothing before them and end on a byte (Z_SYNC_FLUSH), so that one
 * after another they are one stream. What deflate would not shrink is stored: it would only cost time, the most of
 * all. Runs in libuv's thread pool.
 */
export async function deflateBlock(block: Buffer, level: number): Promise<readonly Buffer[]> {
  if (await isIncompressible(block)) return storedBlocks(block);
  const options = { level, memLevel: 8, windowBits: 15, chunkSize: OUTPUT_BYTES };
  return [await deflate(block, { ...options, finishFlush: constants.Z_SYNC_FLUSH })];
}

/** Four samples tell: media, archives and random data are the same all over. */
async function isIncompressible(block: Buffer): Promise<boolean> {
  if (block.length < BLOCK_BYTES) return false;
  const starts = [0, 1, 2, 3].map((i) => (i * BLOCK_BYTES) / 4 + SAMPLE_BYTES);
  const sample = Buffer.concat(starts.map((start) => block.subarray(start, start + SAMPLE_BYTES)));
  const shrunk = await deflate(sample, { level: 1, chunkSize: 2 * sample.length });
  return shrunk.length > 0.99 * sample.length;
}

/** RFC 1951 3.2.4 */
function storedBlocks(block: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < block.length; at += MAX_STORED_BYTES) {
    const data = block.subarray(at, at + MAX_STORED_BYTES);
    const head = Buffer.alloc(5);
    head.writeUInt16LE(data.length, 1);
    head.writeUInt16LE(data.length ^ 0xffff, 3);
    parts.push(head, data);
  }
  return parts;
}

/** RFC 8878: the block as a frame of its own, with a checksum. Runs in libuv's thread pool. */
export async function zstdFrame(block: Buffer, level: number): Promise<readonly Buffer[]> {
  const params = {
    [constants.ZSTD_c_compressionLevel]: level,
    [constants.ZSTD_c_checksumFlag]: 1,
  };
  return [await zstd(block, { params, chunkSize: OUTPUT_BYTES, pledgedSrcSize: block.length })];
}
