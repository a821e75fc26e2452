import { ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import type { FileEntry } from '../../../src/layer/layer-change.ts';

/** A sparse file of the tar that is open as `tar`, with its holes, in a file that has no name any more. */
export function expandSparse(
  tar: number,
  { dataOffset, sizeBytes, sparse }: FileEntry,
  path: string,
): number {
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  let from = dataOffset;
  for (const { offset, length } of sparse ?? []) {
    const run = Buffer.alloc(length);
    readSync(tar, run, 0, length, from);
    writeSync(fd, run, 0, length, offset);
    from += length;
  }
  ftruncateSync(fd, sizeBytes);
  return fd;
}
