import type { FileHandle } from 'node:fs/promises';

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 10;
const FULL_RECORD = /^\S+ (?:stdout|stderr) F /;
/** A time, a stream and a tag: what a record has before its text. */
const PREFIX_BYTES = 64;

/**
 * Where the last `lines` lines of a log in conmon's format begin, read from its end. A container's line ends with its
 * full record; parts at the end of the log count as one more line.
 */
export async function tailStart(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines <= 0) return size;
  let found = 0;
  let lineStart = size;
  for await (const { start, isFull } of recordsBackward(file, size)) {
    // A full record ends a line of its own: what was found so far begins after it.
    if (found === lines && isFull) return lineStart;
    if (isFull || found === 0) found++;
    lineStart = start;
  }
  return 0;
}

async function* recordsBackward(
  file: FileHandle,
  size: number,
): AsyncGenerator<{ readonly start: number; readonly isFull: boolean }> {
  for (let blockEnd = size; blockEnd > 0; ) {
    const blockStart = Math.max(0, blockEnd - BLOCK_BYTES);
    const block = await readAt(file, blockStart, blockEnd - blockStart + PREFIX_BYTES);
    const record = (offset: number) => ({
      start: blockStart + offset,
      isFull: FULL_RECORD.test(block.toString('latin1', offset, offset + PREFIX_BYTES)),
    });
    let newline = blockEnd - blockStart;
    while (newline > 0) {
      newline = block.lastIndexOf(NEWLINE, newline - 1);
      if (newline >= 0 && blockStart + newline + 1 < size) yield record(newline + 1);
    }
    if (blockStart === 0) yield record(0);
    blockEnd = blockStart;
  }
}

/** What the file has from `position` on, at most `length` bytes. */
export async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
