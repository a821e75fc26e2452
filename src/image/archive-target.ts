import { once } from 'node:events';
import { type FileHandle, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { Header, Pax } from 'tar';
import { isErrno, OcitsError, wrapError } from '../errors.ts';
import { temporaryName } from '../system/atomic-file.ts';
import { StagedFile } from '../system/staged-file.ts';
import type { FileTarget } from './file-target.ts';

const BLOCK_BYTES = 512;
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;
/** The same image gives the same archive, whenever it is saved. */
const MTIME = new Date(0);

/** Takes bytes in order. */
interface ByteSink {
  write(chunk: Uint8Array): Promise<void>;
}

/**
 * A tar archive at `path`, which appears when it is finished: until then it has another name in the same folder.
 * Throws `invalid-argument` where the path is there and is no regular file.
 */
export async function archiveFile(path: string): Promise<FileTarget> {
  const target = await finalPath(path);
  const temporary = temporaryName(dirname(target));
  const file = await openNew(temporary, path);
  const content = new StagedFile(file);
  return new ArchiveTarget(content, {
    finish: async () => {
      await content.drain();
      await file.datasync();
      await file.close();
      await rename(temporary, target);
    },
    abandon: async () => {
      await content.abandon();
      await file.close();
      await unlink(temporary).catch(() => {});
    },
  });
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

/** A tar archive that is written to a stream, such as standard output. The stream stays open. */
export function archiveStream(stream: Writable): FileTarget {
  let failure: Error | undefined;
  const fail = (error: Error) => {
    failure = error;
  };
  stream.on('error', fail);
  const write = async (chunk: Uint8Array) => {
    if (failure !== undefined) throw failure;
    // What a stream has not sent yet it still holds, and chunks are used again.
    if (!stream.write(Buffer.from(chunk))) await once(stream, 'drain');
  };
  const leave = async () => {
    stream.off('error', fail);
    if (failure !== undefined) throw failure;
  };
  return new ArchiveTarget({ write }, { finish: leave, abandon: async () => await leave().catch(() => {}) });
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

interface Ending {
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

/** Files go into an archive one after the other: an addition waits for the one before it. */
class ArchiveTarget implements FileTarget {
  readonly #sink: ByteSink;
  readonly #ending: Ending;
  readonly #names = new Set<string>();
  #last: Promise<void> = Promise.resolve();
  #hasEnded = false;

  constructor(sink: ByteSink, ending: Ending) {
    this.#sink = sink;
    this.#ending = ending;
  }

  async has(name: string): Promise<boolean> {
    return this.#names.has(name);
  }

  async readExisting(): Promise<undefined> {
    return undefined;
  }

  async add(name: string, sizeBytes: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    const before = this.#last;
    this.#last = before.then(async () => await this.#append(name, sizeBytes, content));
    await this.#last;
  }

  async finish(): Promise<void> {
    await this.#last;
    await this.#sink.write(Buffer.alloc(2 * BLOCK_BYTES));
    this.#hasEnded = true;
    await this.#ending.finish();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    await this.#last.catch(() => {});
    await this.#ending.abandon();
  }

  async #append(name: string, sizeBytes: number, content: AsyncIterable<Uint8Array>): Promise<void> {
    for (const folder of foldersAbove(name)) {
      if (this.#names.has(folder)) continue;
      this.#names.add(folder);
      await this.#sink.write(headerOf(folder, 'Directory', 0));
    }
    await this.#sink.write(headerOf(name, 'File', sizeBytes));
    let written = 0;
    for await (const chunk of content) {
      written += chunk.length;
      if (written > sizeBytes) break;
      await this.#sink.write(chunk);
    }
    if (written !== sizeBytes) {
      throw new OcitsError('size-mismatch', `${name} has another size than the ${sizeBytes} bytes announced`);
    }
    const padding = -sizeBytes & (BLOCK_BYTES - 1);
    if (padding > 0) await this.#sink.write(Buffer.alloc(padding));
  }
}

/** `blobs/` and `blobs/sha256/` for a blob. */
function foldersAbove(name: string): string[] {
  const parts = name.split('/').slice(0, -1);
  return parts.map((_, position) => `${parts.slice(0, position + 1).join('/')}/`);
}

function headerOf(path: string, type: 'File' | 'Directory', size: number): Buffer {
  const mode = type === 'File' ? FILE_MODE : FOLDER_MODE;
  const fields = { path, type, size, mode, mtime: MTIME, uid: 0, gid: 0, uname: '', gname: '' };
  const header = new Header(fields);
  const block = Buffer.alloc(BLOCK_BYTES);
  if (!header.encode(block)) return block;
  return Buffer.concat([new Pax({ path, size }).encode(), block]);
}
