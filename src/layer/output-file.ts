import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { isErrno, OcitsError, wrapError } from '../errors.ts';
import { type Digest, finishDigest } from '../oci/digest.ts';

const BUFFER_BYTES = 1024 * 1024;

/** A new file that is hashed while it is written, synchronously and in big pieces. */
export class OutputFile implements Disposable {
  /** Bytes so far, with those that are not on disk yet. */
  sizeBytes = 0;
  readonly #path: string;
  readonly #hash = createHash('sha256');
  readonly #buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  #used = 0;
  #fd: number;

  /** Throws `already-exists` among others: the file must be new. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'wx', 0o600);
    } catch (error) {
      throw wrapError(error, isErrno(error, 'EEXIST') ? 'already-exists' : 'internal', `cannot make ${path}`);
    }
  }

  /** A place of exactly `length` (at most 64 KiB) bytes in the file, for the caller to fill before the next call. */
  reserve(length: number): { readonly buffer: Buffer; readonly at: number } {
    if (this.#used + length > BUFFER_BYTES) this.#flush();
    const at = this.#used;
    this.#used += length;
    this.sizeBytes += length;
    return { buffer: this.#buffer, at };
  }

  write(bytes: Uint8Array): void {
    if (bytes.length >= BUFFER_BYTES / 2) {
      this.#flush();
      this.#toDisk(bytes);
    } else {
      if (this.#used + bytes.length > BUFFER_BYTES) this.#flush();
      this.#buffer.set(bytes, this.#used);
      this.#used += bytes.length;
    }
    this.sizeBytes += bytes.length;
  }

  writeZeros(length: number): void {
    const { buffer, at } = this.reserve(length);
    buffer.fill(0, at, at + length);
  }

  /** Takes `length` bytes of the open file `fd` from `start` on; gives how many there were. */
  writeFrom(fd: number, start: number, length: number): number {
    let done = 0;
    while (done < length) {
      if (this.#used === BUFFER_BYTES) this.#flush();
      const wanted = Math.min(length - done, BUFFER_BYTES - this.#used);
      const got = readSync(fd, this.#buffer, this.#used, wanted, start + done);
      if (got === 0) break;
      this.#used += got;
      done += got;
    }
    this.sizeBytes += done;
    return done;
  }

  /** Writes what is left and closes the file. Gives the digest of all. */
  finish(): Digest {
    this.#flush();
    closeSync(this.#fd);
    this.#fd = -1;
    return finishDigest('sha256', this.#hash);
  }

  /** Without `finish`: closes and deletes the file. */
  [Symbol.dispose](): void {
    if (this.#fd === -1) return;
    closeSync(this.#fd);
    this.#fd = -1;
    unlinkSync(this.#path);
  }

  #flush(): void {
    if (this.#used > 0) this.#toDisk(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
  }

  #toDisk(bytes: Uint8Array): void {
    this.#hash.update(bytes);
    try {
      for (let at = 0; at < bytes.length; ) {
        const written = writeSync(this.#fd, bytes, at, bytes.length - at);
        if (written === 0) throw new OcitsError('disk-full', `no room for ${this.#path}`);
        at += written;
      }
    } catch (error) {
      throw wrapError(error, 'internal', `cannot write ${this.#path}`);
    }
  }
}
