import { fstatSync, readSync } from 'node:fs';
import { isOcitsError } from '../../errors.ts';
import { decompress } from '../../layer/compress/decompress.ts';
import { type CompressionFormat, compressionFormat, MAGIC_BYTES } from '../../layer/compression-format.ts';
import { BLOCK_BYTES, isChecksumRight, isZeroBlock } from '../../layer/tar/header.ts';

/**
 * How the open tar archive is compressed, by its content and never by its name. Undefined where the file is no tar
 * archive: a file that decompresses to anything else is a plain file. Throws `missing-program` where xz or bzip2 is
 * needed.
 */
export async function detectArchive(fd: number): Promise<CompressionFormat | undefined> {
  const start = Buffer.alloc(MAGIC_BYTES);
  const length = readSync(fd, start, 0, start.length, 0);
  const form = compressionFormat(start.subarray(0, length));
  return isTarBlock(await firstBlock(fd, form)) ? form : undefined;
}

/** Go's reader, which BuildKit asks, finds nothing in an archive that begins with its end. */
function isTarBlock(bytes: Buffer): boolean {
  const block = bytes.subarray(0, BLOCK_BYTES);
  return block.length === BLOCK_BYTES && !isZeroBlock(block) && isChecksumRight(block);
}

/**
 * The first bytes of the content, at least one block where it has one. Of a damaged file, it is what comes before the
 * damage.
 */
async function firstBlock(fd: number, form: CompressionFormat): Promise<Buffer> {
  if (form === 'none') {
    const block = Buffer.alloc(BLOCK_BYTES);
    return block.subarray(0, readSync(fd, block, 0, BLOCK_BYTES, 0));
  }
  const source = { path: `/proc/self/fd/${fd}`, compression: form, sizeBytes: fstatSync(fd).size };
  let found: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of decompress(source, { programs: false })) {
      found = Buffer.concat([found, chunk]);
      if (found.length >= BLOCK_BYTES) break;
    }
  } catch (error) {
    if (isOcitsError(error, 'missing-program')) throw error;
  }
  return found;
}
