import { constants, type ZstdOptions, zstdCompress } from 'node:zlib';
import type { Deflaters } from './deflater.ts';
import { findRuns } from './incompressible.ts';

/** What is compressed by itself; where blocks end depends on nothing but the input. */
export const COMPRESS_BLOCK_BYTES = 1024 * 1024;

const MAX_STORED_BYTES = 0xffff;

/**
 * RFC 1951: the block as deflate blocks that refer to nothing before them and end on a byte, so that one after another
 * they are one stream. What deflate would not shrink is stored: to compress it costs the most time and gains nothing.
 */
export async function deflateBlock(block: Buffer, deflaters: Deflaters): Promise<readonly Buffer[]> {
  const parts = findRuns(block).map(({ start, end, isIncompressible }) => {
    const content = block.subarray(start, end);
    return isIncompressible ? storedBlocks(content) : deflaters.deflate(content);
  });
  return (await Promise.all(parts)).flat();
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
  return [await zstd(block, { params, chunkSize: roomFor(block), pledgedSrcSize: block.length })];
}

/** A little more than the worst case: each piece of output beyond the first costs a trip to the thread pool. */
function roomFor(content: Buffer): number {
  return content.length + (content.length >> 8) + 1024;
}

/** With promisify, zlib would be loaded by every program that might compress. */
async function zstd(content: Buffer, options: ZstdOptions): Promise<Buffer> {
  return await new Promise((resolve, reject) =>
    zstdCompress(content, options, (error, result) => (error === null ? resolve(result) : reject(error))),
  );
}
