import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';

const CHUNK_BYTES = 256 * 1024;

/**
 * A file that is read from its start while somebody still appends to it, at the reader's own pace. It may be renamed
 * meanwhile. Whoever writes calls `grew` now and then, and `end` or `destroy` at last. Reads are synchronous: what was
 * just written is in memory, and the thread pool may be full of what makes it.
 */
export class GrowingFile extends Readable {
  readonly #fd: number;
  #position = 0;
  #isWaiting = false;
  #hasEnded = false;

  /** Opens the file, which must be there. */
  constructor(path: string) {
    super({ highWaterMark: CHUNK_BYTES });
    this.#fd = openSync(path, 'r');
    // Whoever reads sees a failure; with nobody reading it must not end the process.
    this.on('error', () => {});
  }

  /** More of it may be there. */
  grew(): void {
    if (!this.#isWaiting || this.destroyed) return;
    this.#isWaiting = false;
    this._read();
  }

  /** All of it is there. */
  end(): void {
    this.#hasEnded = true;
    this.grew();
  }

  override _read(): void {
    try {
      const length = Math.min(fstatSync(this.#fd).size - this.#position, CHUNK_BYTES);
      if (length > 0) {
        const chunk = Buffer.allocUnsafeSlow(length);
        const bytes = readSync(this.#fd, chunk, 0, length, this.#position);
        this.#position += bytes;
        this.push(chunk.subarray(0, bytes));
      } else if (this.#hasEnded) {
        this.push(null);
      } else {
        this.#isWaiting = true;
      }
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    closeSync(this.#fd);
    callback(error);
  }
}
