import type { FileHandle } from 'node:fs/promises';

const STAGING_BYTES = 512 * 1024;

/**
 * Writes a file from small chunks: they are gathered, and one write to the disk is under way while the next is
 * gathered. Chunks are copied, so the caller may use their memory again. A write that fails is thrown by a later call.
 */
export class StagedFile {
  readonly #file: FileHandle;
  #position: number;
  #staging: Buffer | undefined;
  #spare: Buffer | undefined;
  #staged = 0;
  #writing: Promise<void> = Promise.resolve();
  readonly #onWritten: ((end: number) => void) | undefined;

  /**
   * Writes from `position` on. The file stays the caller's to close. `onWritten` is told up to which position the file
   * has been written, after each write to the disk.
   */
  constructor(file: FileHandle, position = 0, onWritten?: (end: number) => void) {
    this.#file = file;
    this.#position = position;
    this.#onWritten = onWritten;
  }

  /** Waits where the disk is slower than the caller. */
  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      this.#staging ??= Buffer.allocUnsafeSlow(STAGING_BYTES);
      const part = chunk.subarray(at, at + STAGING_BYTES - this.#staged);
      this.#staging.set(part, this.#staged);
      this.#staged += part.length;
      at += part.length;
      if (this.#staged === STAGING_BYTES) await this.#flush();
    }
  }

  /** Writes all that was gathered, and waits for it. Not fsynced. */
  async drain(): Promise<void> {
    await this.#flush();
    await this.#writing;
  }

  /** Waits for the write that is under way, and forgets what was gathered. Never throws. */
  async abandon(): Promise<void> {
    this.#staged = 0;
    await this.#writing.catch(() => {});
  }

  /** Begins to write what is staged, once the write before it has ended. */
  async #flush(): Promise<void> {
    await this.#writing;
    const full = this.#staging;
    const length = this.#staged;
    if (full === undefined || length === 0) return;
    this.#staging = this.#spare;
    this.#spare = full;
    this.#staged = 0;
    const end = this.#position + length;
    this.#writing = writeFully(this.#file, full.subarray(0, length), this.#position).then(() =>
      this.#onWritten?.(end),
    );
    this.#position = end;
    // It is awaited by the next call; until then nobody listens.
    this.#writing.catch(() => {});
  }
}

async function writeFully(file: FileHandle, content: Uint8Array, start: number): Promise<void> {
  for (let done = 0; done < content.length; ) {
    const { bytesWritten } = await file.write(content, done, content.length - done, start + done);
    done += bytesWritten;
  }
}
