/** Passes chunks on, each valid until the next is asked for. */
export async function* freeing(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    yield chunk;
    freeChunk(chunk);
  }
}

/** Only where the chunk ends its memory: zlib cuts several chunks from one piece, in order. */
function freeChunk(chunk: Buffer): void {
  if (chunk.byteOffset + chunk.byteLength === chunk.buffer.byteLength) freeMemory(chunk);
}

/**
 * Gives the memory behind `bytes` back to the system, once nobody looks at it any more: garbage collection, which does
 * not count such memory as its own, would let tens of MB of it lie about in each thread. Node's common pool stays.
 */
export function freeMemory({ buffer }: Buffer): void {
  if (buffer.byteLength > Buffer.poolSize && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
