import type { Readable } from 'node:stream';

/** The same stream, which tells how much of it was taken, on top of what was taken `before`. */
export function counting(
  stream: Readable,
  onBytes: ((taken: number) => void) | undefined,
  before = 0,
): Readable {
  let taken = before;
  stream.on('data', (chunk: Uint8Array) => {
    taken += chunk.length;
    onBytes?.(taken);
  });
  return stream.pause();
}
