import { fstatSync, readSync } from 'node:fs';
import { OcitsError } from '../../errors.ts';
import { showPath } from '../../layer/byte-path.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { FILE_TYPES, S_IFMT } from '../../system/file/file-types.ts';
import type { PlaceContent } from './layer-place.ts';
import type { StackReader } from './stack-reader.ts';

/** The content of a regular file of the merged tree; undefined where there is none. Throws `hostile` over the limit. */
export async function readPlaceFile(
  reader: StackReader,
  path: BytePath,
  limitBytes: number,
): Promise<Buffer | undefined> {
  const place = await reader.resolve(path);
  if (place === undefined || (place.stat.mode & S_IFMT) !== FILE_TYPES.file) return undefined;
  const content = await place.open();
  try {
    return readUpTo(content, path, limitBytes);
  } finally {
    content.close();
  }
}

/** A file may grow while it is read: what counts is what was read, not what its size was. */
function readUpTo({ fd, start, sizeBytes }: PlaceContent, path: BytePath, limitBytes: number): Buffer {
  const endBytes = Math.min(sizeBytes ?? Number.POSITIVE_INFINITY, limitBytes + 1);
  const chunkBytes = Math.min(sizeBytes ?? fstatSync(fd).size + 1, endBytes);
  const chunks: Buffer[] = [];
  let total = 0;
  while (total < endBytes) {
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, endBytes - total));
    const read = readSync(fd, chunk, 0, chunk.length, start + total);
    if (read === 0) break;
    total += read;
    chunks.push(chunk.subarray(0, read));
  }
  if (total <= limitBytes) return Buffer.concat(chunks);
  throw new OcitsError('hostile', `${showPath(path)} in the image has more than ${limitBytes} bytes`);
}
