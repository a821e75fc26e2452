import { constants, createDeflateRaw, type DeflateRaw } from 'node:zlib';

/** A piece of output that is full costs a trip to the thread pool, one that is not costs its memory. */
const OUTPUT_BYTES = 256 * 1024;

export interface DeflateSettings {
  readonly level: number;
  /** From 1 to 9. */
  readonly memLevel: number;
}

/**
 * Deflates one block after another, each as if there were no other. zlib's tables and the memory for its output are
 * made once: made for each block, they are most of what garbage collection has to do.
 */
class Deflater implements Disposable {
  readonly #stream: DeflateRaw;
  #parts: Buffer[] = [];

  constructor(settings: DeflateSettings) {
    this.#stream = createDeflateRaw({ ...settings, windowBits: 15, chunkSize: OUTPUT_BYTES });
    this.#stream.on('data', (part: Buffer) => this.#parts.push(part));
  }

  async deflate(block: Buffer): Promise<Buffer[]> {
    const parts: Buffer[] = [];
    this.#parts = parts;
    const stream = this.#stream;
    await new Promise<void>((resolve, reject) => {
      stream.once('error', reject);
      stream.write(block);
      stream.flush(constants.Z_SYNC_FLUSH, () => {
        stream.off('error', reject);
        resolve();
      });
    });
    // What is still in the stream comes to the listener, too.
    while (stream.read() !== null);
    stream.reset();
    return parts;
  }

  [Symbol.dispose](): void {
    this.#stream.on('error', () => {});
    this.#stream.destroy();
  }
}

/** As many deflaters as blocks are deflated at the same time. Disposing frees their memory; none is at work then. */
export class Deflaters implements Disposable {
  readonly #settings: DeflateSettings;
  readonly #idle: Deflater[] = [];

  constructor(settings: DeflateSettings) {
    this.#settings = settings;
  }

  /**
   * RFC 1951: the block as deflate blocks that refer to nothing before them and end on a byte (Z_SYNC_FLUSH). Runs in
   * libuv's thread pool.
   */
  async deflate(block: Buffer): Promise<readonly Buffer[]> {
    const deflater = this.#idle.pop() ?? new Deflater(this.#settings);
    try {
      return await deflater.deflate(block);
    } finally {
      this.#idle.push(deflater);
    }
  }

  [Symbol.dispose](): void {
    for (const deflater of this.#idle.splice(0)) deflater[Symbol.dispose]();
  }
}
