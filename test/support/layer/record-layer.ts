import type { FileEntry, LayerChange } from '../../../src/layer/layer-change.ts';
import type { LayerVisitor } from '../../../src/layer/layer-visitor.ts';
import { TarReader, type TarReaderOptions } from '../../../src/layer/tar/reader.ts';

/** A change that was read, with a file's content, its holes filled. */
export interface Recorded {
  readonly change: LayerChange;
  readonly content?: Buffer;
}

/** A visitor that keeps everything, and complains where the calls are not in order. */
export function recorder(): LayerVisitor & { readonly recorded: Recorded[] } {
  const recorded: Recorded[] = [];
  let file: FileEntry | undefined;
  let content: Buffer = Buffer.alloc(0);
  return {
    recorded,
    change(change) {
      if (file !== undefined) throw new Error(`${file.path} has no end`);
      if (change.type !== 'file') recorded.push({ change });
      else {
        file = change;
        content = Buffer.alloc(change.sizeBytes);
      }
    },
    data(chunk, position) {
      if (file === undefined || chunk.length === 0) throw new Error('data out of place');
      if (position + chunk.length > content.length) throw new Error(`${file.path} has too much data`);
      chunk.copy(content, position);
    },
    fileEnd(ended) {
      if (file !== ended) throw new Error('an end out of place');
      recorded.push({ change: file, content });
      file = undefined;
    },
  };
}

/** Reads a whole tar, in chunks of these sizes in turn (all at once without), each overwritten once it is used. */
export function readTar(
  tar: Buffer,
  sizes: readonly number[] = [],
  options: TarReaderOptions = {},
): Recorded[] {
  const visitor = recorder();
  const reader = new TarReader(visitor, options);
  let at = 0;
  for (let i = 0; at < tar.length; i++) {
    const size = sizes.length === 0 ? tar.length : sizes[i % sizes.length]!;
    const chunk = Buffer.from(tar.subarray(at, at + size));
    reader.push(chunk);
    chunk.fill(0xee);
    at += size;
  }
  reader.end();
  return visitor.recorded;
}
