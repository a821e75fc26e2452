import {
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
} from 'node:fs';
import { mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { isErrno, OcitsError, wrapError } from '../errors.ts';
import { type Digest, digestAlgorithm, digestHex, digestOf, isDigest, parseDigest } from '../oci/digest.ts';
import { syncFolder, temporaryName } from '../system/file/atomic-file.ts';
import { type HostPaths, partialFolder } from '../system/paths.ts';
import { lockFile } from '../system/task/lock.ts';
import type { BlobInfo, BlobStore, BlobWriter, IngestRequest } from './blob-store.ts';
import { FileBlobWriter } from './blob-writer.ts';

const READ_CHUNK_BYTES = 512 * 1024;
const SMALL_LIMIT_BYTES = 4 * 1024 * 1024;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR } = constants;

/**
 * Blobs as files `blobs/<algorithm>/<hex>` (0400). What is under way lies in `partial/` on the same file system,
 * named by its digest where that is known. Names are made durable by `sync`, which whoever names an image calls
 * once for all its blobs; a blob's content always is durable before it has its name.
 *
 * What is looked at or read as a whole is so at once: a small file takes less time than a trip to the thread pool.
 */
export class FileBlobStore implements BlobStore {
  readonly #blobs: string;
  readonly #partial: string;
  readonly #locks: string;

  constructor(paths: HostPaths) {
    this.#blobs = join(paths.root, 'blobs');
    this.#partial = partialFolder(paths.root);
    this.#locks = join(paths.run, 'locks');
  }

  async stat(digest: Digest): Promise<BlobInfo | undefined> {
    try {
      const found = lstatSync(this.path(digest), { throwIfNoEntry: false });
      return found?.isFile() ? { digest, sizeBytes: found.size } : undefined;
    } catch (error) {
      throw wrapError(error, 'internal', `cannot look at blob ${digest}`);
    }
  }

  async open(
    digest: Digest,
    range: { readonly start: number; readonly end?: number | undefined } = { start: 0 },
  ): Promise<Readable> {
    const fd = this.#openBlob(digest);
    if (range.end !== undefined && range.end <= range.start) {
      closeSync(fd);
      return Readable.from([]);
    }
    // A stream counts its last byte in.
    const end = range.end === undefined ? undefined : range.end - 1;
    return createReadStream('', { fd, start: range.start, end, highWaterMark: READ_CHUNK_BYTES });
  }

  path(digest: Digest): string {
    const checked = parseDigest(digest);
    return join(this.#blobs, digestAlgorithm(checked), digestHex(checked));
  }

  async read(digest: Digest, limitBytes: number = SMALL_LIMIT_BYTES): Promise<Buffer> {
    const fd = this.#openBlob(digest);
    try {
      const { size } = fstatSync(fd);
      if (size > limitBytes) {
        throw new OcitsError(
          'corrupt',
          `blob ${digest} has ${size} bytes, more than the ${limitBytes} allowed here`,
        );
      }
      const content = readFileSync(fd);
      if (digestOf(content, digestAlgorithm(digest)) !== digest) {
        throw new OcitsError('corrupt', `blob ${digest} does not match its digest`, {
          hint: 'remove the image and pull it again',
        });
      }
      return content;
    } finally {
      closeSync(fd);
    }
  }

  async ingest(request: IngestRequest): Promise<BlobWriter | { readonly exists: BlobInfo }> {
    const { digest, signal } = request;
    if (digest === undefined) return await this.#ingestUnnamed(request);
    const early = await this.#statWhole(digest, request.sizeBytes);
    if (early !== undefined) return { exists: early };
    const name = `${digestAlgorithm(digest)}-${digestHex(digest)}`;
    const lock = await lockFile(join(this.#locks, `blob-${name}`), {
      mode: 'exclusive',
      signal,
    });
    if (lock === undefined) throw new OcitsError('internal', 'a lock without a time limit ran out');
    try {
      const late = await this.#statWhole(digest, request.sizeBytes);
      if (late !== undefined) {
        await lock.release();
        return { exists: late };
      }
      const path = join(this.#partial, name);
      const file = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
      const writer = new FileBlobWriter({ file, path, expected: request, lock, publish: this.#publish });
      await writer.resume();
      return writer;
    } catch (error) {
      await lock.release();
      throw wrapError(error, 'internal', `cannot begin to store ${digest}`);
    }
  }

  async put(content: Uint8Array | string): Promise<BlobInfo> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    const digest = digestOf(bytes);
    const info = { digest, sizeBytes: bytes.length };
    if ((await this.#statWhole(digest, bytes.length)) !== undefined) return info;
    await using writer = await this.#ingestUnnamed({ digest, sizeBytes: bytes.length });
    await writer.write(bytes);
    return await writer.commit();
  }

  async adopt(path: string, digest: Digest): Promise<BlobInfo> {
    try {
      const file = await open(path, O_RDONLY | O_NOFOLLOW);
      let sizeBytes: number;
      try {
        sizeBytes = (await file.stat()).size;
        const found = await this.#statWhole(digest, sizeBytes);
        if (found !== undefined) {
          await unlink(path);
          return found;
        }
        await file.chmod(0o400);
        await file.datasync();
      } finally {
        await file.close();
      }
      await this.#publish(path, digest);
      return { digest, sizeBytes };
    } catch (error) {
      throw wrapError(error, 'internal', `cannot take ${path} into the store`);
    }
  }

  async delete(digest: Digest): Promise<void> {
    await unlink(this.path(digest)).catch(unlessMissing);
  }

  async *list(): AsyncIterable<BlobInfo> {
    for (const algorithm of await readdir(this.#blobs)) {
      for (const hex of await readdir(join(this.#blobs, algorithm))) {
        const digest = `${algorithm}:${hex}`;
        const info = isDigest(digest) ? await this.stat(digest) : undefined;
        if (info !== undefined) yield info;
      }
    }
  }

  async sync(): Promise<void> {
    for (const algorithm of await readdir(this.#blobs)) await syncFolder(join(this.#blobs, algorithm));
  }

  /** A writer with a name of its own; two that store the same content do not meet, and one of the files stays. */
  async #ingestUnnamed(expected: IngestRequest): Promise<FileBlobWriter> {
    const path = temporaryName(this.#partial);
    const file = await open(path, O_RDWR | O_CREAT | O_EXCL, 0o600);
    return new FileBlobWriter({ file, path, expected, isTemporary: true, publish: this.#publish });
  }

  /** The blob where it has the size that is expected; one of another size is damaged, and gets replaced. */
  async #statWhole(digest: Digest, sizeBytes: number | undefined): Promise<BlobInfo | undefined> {
    const found = await this.stat(digest);
    if (found === undefined || sizeBytes === undefined || found.sizeBytes === sizeBytes) return found;
    return undefined;
  }

  #openBlob(digest: Digest): number {
    try {
      return openSync(this.path(digest), O_RDONLY | O_NOFOLLOW);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw new OcitsError('not-found', `blob ${digest} is not in the store`);
      throw wrapError(error, 'internal', `cannot open blob ${digest}`);
    }
  }

  readonly #publish = async (path: string, digest: Digest): Promise<void> => {
    const target = this.path(digest);
    try {
      await rename(path, target);
    } catch (error) {
      // Only the folder of sha256 is made when the store is opened.
      if (!isErrno(error, 'ENOENT') || digestAlgorithm(digest) === 'sha256') throw error;
      await mkdir(join(this.#blobs, digestAlgorithm(digest)), { recursive: true, mode: 0o700 });
      await syncFolder(this.#blobs);
      await rename(path, target);
    }
  };
}

function unlessMissing(error: unknown): void {
  if (!isErrno(error, 'ENOENT')) throw error;
}
