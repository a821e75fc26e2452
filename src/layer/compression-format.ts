import { open } from 'node:fs/promises';
import type { Compression } from '../oci/media-types.ts';

/** How a file is compressed that need not be a layer. */
export type CompressionFormat = Compression | 'bzip2' | 'xz';

/** A file that may be compressed: plain data, so that a worker thread can open it. */
export interface CompressedFile {
  readonly path: string;
  readonly compression: CompressionFormat;
  /** The size of the file at `path`, once it is whole. */
  readonly sizeBytes: number;
  /** Where the file is still being written: how far it has come, by `FileGrowth`. */
  readonly growth?: SharedArrayBuffer | undefined;
  /** What errors call it, where that is not `the layer` and its path. */
  readonly name?: string | undefined;
}

/** Looks at the start of the file at `path`, which errors call `name`. Throws what the operating system says. */
export async function describeFile(path: string, name: string): Promise<CompressedFile> {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, 0);
  return { path, compression: compressionFormat(buffer.subarray(0, bytesRead)), sizeBytes: size, name };
}

/** What errors call the file. */
export function nameOfFile({ name, compression, path }: CompressedFile): string {
  if (name !== undefined) return name;
  return compression === 'none' ? `the layer ${path}` : `the ${compression} layer ${path}`;
}

const MAGIC: readonly (readonly [start: string, format: CompressionFormat])[] = [
  ['1f8b08', 'gzip'],
  ['28b52ffd', 'zstd'],
  ['425a68', 'bzip2'],
  ['fd377a585a00', 'xz'],
];
/** As many bytes of a file as tell. */
export const MAGIC_BYTES = 6;

/** How a file is compressed that begins with `start`, by its magic number: its first `MAGIC_BYTES`, or all of it. */
export function compressionFormat(start: Uint8Array): CompressionFormat {
  const hex = Buffer.from(start.subarray(0, MAGIC_BYTES)).toString('hex');
  // RFC 8878: a skippable frame may come first.
  if (/^5[0-9a-f]2a4d18/.test(hex)) return 'zstd';
  return MAGIC.find(([magic]) => hex.startsWith(magic))?.[1] ?? 'none';
}
