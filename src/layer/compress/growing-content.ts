import { closeSync, openSync, readSync } from 'node:fs';
import { FileGrowth } from '../../system/file/file-growth.ts';
import type { CompressedFile } from '../compression-format.ts';

const CHUNK_BYTES = 256 * 1024;

export interface GrowingContentOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether a chunk's memory is used again when the next is asked for. */
  readonly transient?: boolean | undefined;
}

/**
 * The bytes of a file that is still being written, as they come; ends once the file is whole. Reads are synchronous:
 * what was just written is in memory. Throws `aborted` where the file is dropped or the signal says so; a chunk that
 * was passed on was not dropped by then.
 */
export async function* growingContent(
  { path, growth: memory }: CompressedFile,
  { signal, transient = false }: GrowingContentOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  const growth = new FileGrowth(memory);
  const file = openSync(path, 'r');
  try {
    let buffer: Buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    for (let position = 0; ; ) {
      const sizeBytes = await growth.moreThan(position, signal);
      if (sizeBytes <= position) return;
      const length = Math.min(buffer.length, sizeBytes - position);
      const bytes = readSync(file, buffer, 0, length, position);
      // The file may have been cut short or written anew meanwhile.
      growth.check();
      position += bytes;
      yield buffer.subarray(0, bytes);
      if (!transient) buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    }
  } finally {
    closeSync(file);
  }
}
