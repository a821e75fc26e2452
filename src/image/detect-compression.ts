import { OcitsError } from '../errors.ts';
import type { Compression } from '../oci/media-types.ts';

const UNREADABLE: readonly (readonly [magic: string, format: string, program: string])[] = [
  ['fd377a585a00', 'xz', 'xz -dc'],
  ['425a68', 'bzip2', 'bzip2 -dc'],
];

/**
 * How a file that begins with `start` is compressed, by its magic number; at least 6 bytes of it, where it has them.
 * Throws `unsupported` for xz and bzip2.
 */
export function detectCompression(start: Uint8Array): Compression {
  const hex = Buffer.from(start.subarray(0, 6)).toString('hex');
  if (hex.startsWith('1f8b')) return 'gzip';
  if (hex.startsWith('28b52ffd')) return 'zstd';
  // RFC 8878: a skippable frame may come first.
  if (/^5[0-9a-f]2a4d18/.test(hex)) return 'zstd';
  for (const [magic, format, program] of UNREADABLE) {
    if (!hex.startsWith(magic)) continue;
    throw new OcitsError('unsupported', `${format} is not a compression that ocits reads`, {
      hint: `uncompress it on the way: ${program} FILE | ocits …`,
    });
  }
  return 'none';
}
