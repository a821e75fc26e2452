/** Passes chunks on, each valid until the next is asked for. */
export async function* freeing(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  for await (const chunk of chunks) {
    yield chunk;
    freeChunk(chunk);
  }
}

/**
 * Gives a stream's chunk back to the system once nobody looks at it any more: garbage collection, which does not count
 * such memory as its own, would let tens of MB of them lie about in each thread. Only where the chunk ends its memory:
 * zlib cuts several chunks from one piece, in order. Buffers of Node's common pool are left alone.
 */
function freeChunk(chunk: Buffer): void {
  const { buffer, byteOffset, byteLength } = chunk;
  const endsMemory = byteOffset + byteLength === buffer.byteLength;
  if (endsMemory && buffer.byteLength > Buffer.poolSize && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
