import { once } from 'node:events';
import { type FileHandle, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { isErrno, OcitsError, wrapError } from '../../errors.ts';
import { type OutsideName, outsideName } from '../../system/file/outside-name.ts';
import { StagedFile } from '../../system/file/staged-file.ts';
import type { FileTarget } from './file-target.ts';
import { ArchiveHeaders, END_BYTES, paddingBytes } from './headers.ts';

/** As many as there are cores on a small machine: each takes a decompressor of its own. */
const CONCURRENCY = 2;
const FILE_MODE = 0o644;

/**
 * A tar archive at `path`, which appears when it is finished: until then it has another name in the same folder.
 * `scratch`: see `outsideName`. Throws `invalid-argument` where the path is there and is no regular file.
 */
export async function archiveFile(path: string, scratch: string): Promise<FileTarget> {
  const target = await finalPath(path);
  const outside = outsideName(dirname(target), scratch);
  try {
    return new FileArchive(await openNew(outside.path, path), outside, target);
  } catch (error) {
    outside[Symbol.dispose]();
    throw error;
  }
}

/** A tar archive that is written to a stream, such as standard output. The stream stays open. */
export function archiveStream(stream: Writable): FileTarget {
  return new StreamArchive(stream);
}

/** Where the archive's name leads to: a rename onto `/dev/stdout` would put a file in its place. */
async function finalPath(path: string): Promise<string> {
  try {
    const target = await realpath(path);
    if ((await stat(target)).isFile()) return target;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return resolve(path);
    throw wrapError(error, 'invalid-argument', `cannot write ${path}`);
  }
  throw new OcitsError('invalid-argument', `cannot write ${path}: it is no regular file`, {
    hint: 'leave out -o and redirect standard output',
  });
}

async function openNew(temporary: string, path: string): Promise<FileHandle> {
  try {
    return await open(temporary, 'wx', FILE_MODE);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) {
      throw new OcitsError('invalid-argument', `cannot write ${path}: its folder does not exist`, {
        cause: error,
      });
    }
    throw wrapError(error, 'internal', `cannot write ${path}`);
  }
}

/** Each file has its place in the archive as soon as it is added, since its size is known: so several are written at once. */
class FileArchive implements FileTarget {
  readonly concurrency = CONCURRENCY;
  readonly #file: FileHandle;
  readonly #temporary: OutsideName;
  readonly #target: string;
  readonly #headers = new ArchiveHeaders();
  #end = 0;
  #isFinished = false;

  constructor(file: FileHandle, temporary: OutsideName, target: string) {
    this.#file = file;
    this.#temporary = temporary;
    this.#target = target;
  }

  async has(name: string): Promise<boolean> {
    return this.#headers.has(name);
  }

  async readExisting(): Promise<undefined> {
    return undefined;
  }

  async add(name: string, sizeBytes: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#headers.has(name)) return;
    const header = this.#headers.next(name, sizeBytes);
    const place = new StagedFile(this.#file, this.#end);
    this.#end += header.length + sizeBytes + paddingBytes(sizeBytes);
    try {
      await place.write(header);
      for await (const chunk of exactly(name, sizeBytes, content)) await place.write(chunk);
      await place.drain();
    } catch (error) {
      await place.abandon();
      throw wrapError(error, 'internal', `cannot write ${this.#target}`);
    }
  }

  async finish(): Promise<void> {
    // What was never written reads as zeros.
    await this.#file.truncate(this.#end + END_BYTES);
    await this.#file.datasync();
    await rename(this.#temporary.path, this.#target);
    this.#isFinished = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
    if (!this.#isFinished) await unlink(this.#temporary.path).catch(() => {});
    this.#temporary[Symbol.dispose]();
  }
}

/** Files go out one after the other: an addition waits for the one before it. */
class StreamArchive implements FileTarget {
  readonly concurrency = 1;
  readonly #stream: Writable;
  readonly #headers = new ArchiveHeaders();
  readonly #fail = (error: Error) => {
    this.#failure = error;
  };
  #failure: Error | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', this.#fail);
  }

  async has(name: string): Promise<boolean> {
    return this.#headers.has(name);
  }

  async readExisting(): Promise<undefined> {
    return undefined;
  }

  async add(name: string, sizeBytes: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#headers.has(name)) return;
    const header = this.#headers.next(name, sizeBytes);
    const before = this.#last;
    const append = async () => {
      await before;
      await this.#write(header);
      for await (const chunk of exactly(name, sizeBytes, content)) await this.#write(chunk);
      await this.#write(Buffer.alloc(paddingBytes(sizeBytes)));
    };
    this.#last = append();
    await this.#last;
  }

  async finish(): Promise<void> {
    await this.#last;
    await this.#write(Buffer.alloc(END_BYTES));
    if (this.#failure !== undefined) throw this.#failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last.catch(() => {});
    this.#stream.off('error', this.#fail);
  }

  /** A stream holds what it has not sent yet, and chunks are used again, so it gets copies. */
  async #write(chunk: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (chunk.length > 0 && !this.#stream.write(Buffer.from(chunk))) await once(this.#stream, 'drain');
  }
}

/** Passes content on. Throws `size-mismatch` where it is not as long as its header says. */
async function* exactly(
  name: string,
  sizeBytes: number,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let written = 0;
  for await (const chunk of content) {
    written += chunk.length;
    if (written > sizeBytes) break;
    yield chunk;
  }
  if (written === sizeBytes) return;
  throw new OcitsError(
    'size-mismatch',
    `${name} has another size than the ${sizeBytes} bytes that were announced`,
  );
}
