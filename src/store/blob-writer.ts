import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { OcitsError, wrapError } from '../errors.ts';
import { type Digest, type DigestAlgorithm, digestAlgorithm, finishDigest } from '../oci/digest.ts';
import { FileGrowth } from '../system/file/file-growth.ts';
import { StagedFile } from '../system/file/staged-file.ts';
import type { FileLock } from '../system/task/lock.ts';
import type { BlobInfo, BlobWriter, FollowedBlob } from './blob-store.ts';

const REHASH_BYTES = 1024 * 1024;

/** What a writer works on; it owns the file and the lock from now on. */
export interface WriterParts {
  readonly file: FileHandle;
  readonly path: string;
  readonly expected: { readonly digest?: Digest | undefined; readonly sizeBytes?: number | undefined };
  /** Never resumed: the file goes unless it is committed. */
  readonly isTemporary?: boolean | undefined;
  readonly lock?: FileLock | undefined;
  /** Gives the finished, fsynced file its final name. */
  readonly publish: (path: string, digest: Digest) => Promise<void>;
}

/** A blob under way in a file, hashed as it is written. */
export class FileBlobWriter implements BlobWriter {
  readonly #parts: WriterParts;
  readonly #algorithm: DigestAlgorithm;
  #hash: Hash;
  #offset = 0;
  #content: StagedFile;
  #isWrong = false;
  #isClosed = false;
  #committed: Promise<BlobInfo> | undefined;
  #followed = new Followed();

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#algorithm = parts.expected.digest === undefined ? 'sha256' : digestAlgorithm(parts.expected.digest);
    this.#hash = createHash(this.#algorithm);
    this.#content = this.#contentFrom(0);
  }

  get offset(): number {
    return this.#offset;
  }

  /**
   * Hashes what an earlier process left, so that the download goes on behind it. What cannot be read is deleted, and
   * the writer closed.
   */
  async resume(): Promise<void> {
    try {
      await this.#rehash();
    } catch (error) {
      this.#isWrong = true;
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #rehash(): Promise<void> {
    const { size } = await this.#parts.file.stat();
    if (size > (this.#parts.expected.sizeBytes ?? Number.POSITIVE_INFINITY)) return await this.reset();
    const buffer = Buffer.allocUnsafe(Math.min(REHASH_BYTES, size));
    while (this.#offset < size) {
      const { bytesRead } = await this.#parts.file.read(buffer, 0, buffer.length, this.#offset);
      if (bytesRead === 0) break;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#offset += bytesRead;
    }
    this.#content = this.#contentFrom(this.#offset);
    this.#followed.growth.grew(this.#offset);
  }

  #contentFrom(position: number): StagedFile {
    return new StagedFile(this.#parts.file, position, (end) => this.#followed.growth.grew(end));
  }

  async write(chunk: Uint8Array): Promise<void> {
    const limit = this.#parts.expected.sizeBytes;
    if (limit !== undefined && this.#offset + chunk.length > limit) {
      this.#isWrong = true;
      throw new OcitsError('size-mismatch', `${this.#name()} is larger than the ${limit} bytes announced`);
    }
    this.#hash.update(chunk);
    this.#offset += chunk.length;
    try {
      await this.#content.write(chunk);
    } catch (error) {
      throw wrapError(error, 'internal', `cannot write ${this.#name()}`);
    }
  }

  async reset(): Promise<void> {
    this.#followed.drop();
    await this.#content.abandon();
    await this.#parts.file.truncate(0);
    this.#followed = new Followed();
    this.#content = this.#contentFrom(0);
    this.#hash = createHash(this.#algorithm);
    this.#offset = 0;
    this.#isWrong = false;
  }

  async follow(): Promise<FollowedBlob> {
    const { growth, outcome } = this.#followed;
    const file = await open(this.#parts.path, 'r');
    return {
      path: `/proc/self/fd/${file.fd}`,
      growth: growth.memory,
      outcome: outcome.promise,
      [Symbol.asyncDispose]: async () => await file.close(),
    };
  }

  async commit(): Promise<BlobInfo> {
    this.#committed ??= this.#finish();
    return await this.#committed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#followed.drop();
    const isResumable = this.#parts.isTemporary !== true && !this.#isWrong && this.#offset > 0;
    if (isResumable) await this.#content.drain().catch(() => {});
    else await this.#content.abandon();
    await this.#close(!isResumable);
  }

  async #finish(): Promise<BlobInfo> {
    try {
      await this.#content.drain();
      const digest = this.#verify();
      await this.#parts.file.datasync();
      // Not before: only root could go on with a download that was killed while it was synced.
      await this.#parts.file.chmod(0o400);
      await this.#parts.publish(this.#parts.path, digest);
      this.#followed.end();
      await this.#close(false);
      return { digest, sizeBytes: this.#offset };
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw wrapError(error, 'internal', `cannot store ${this.#name()}`);
    }
  }

  #verify(): Digest {
    const { digest, sizeBytes } = this.#parts.expected;
    if (sizeBytes !== undefined && sizeBytes !== this.#offset) {
      this.#isWrong = true;
      throw new OcitsError(
        'size-mismatch',
        `${this.#name()} has ${this.#offset} bytes, ${sizeBytes} were announced`,
      );
    }
    const found = finishDigest(this.#algorithm, this.#hash);
    if (digest !== undefined && found !== digest) {
      this.#isWrong = true;
      throw new OcitsError('digest-mismatch', `content that should be ${digest} is ${found}`);
    }
    return found;
  }

  async #close(isDeleted: boolean): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#parts.file.close();
    if (isDeleted) await unlink(this.#parts.path).catch(() => {});
    await this.#parts.lock?.release();
  }

  #name(): string {
    return this.#parts.expected.digest ?? 'a new blob';
  }
}

/** What readers know of a blob that is still being written. The first of `end` and `drop` counts. */
class Followed {
  readonly growth = new FileGrowth();
  readonly outcome = Promise.withResolvers<'whole' | 'dropped'>();

  end(): void {
    this.growth.end();
    this.outcome.resolve('whole');
  }

  drop(): void {
    this.growth.drop();
    this.outcome.resolve('dropped');
  }
}
