import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno, OcitsError, wrapError } from '../../errors.ts';
import { outsideName } from '../../system/file/outside-name.ts';
import { StagedFile } from '../../system/file/staged-file.ts';

/** Where the files of an OCI layout go: a folder or an archive. Disposing without `finish` leaves nothing half-made. */
export interface FileTarget extends AsyncDisposable {
  /** How many additions at once it is good for. */
  readonly concurrency: number;
  has(name: string): Promise<boolean>;
  /** All of a small file that is there already; undefined where there is none. */
  readExisting(name: string): Promise<Buffer | undefined>;
  /** Adds a file, or replaces it. Throws what `content` throws, and `size-mismatch` where that has another size. */
  add(name: string, sizeBytes: number, content: AsyncIterable<Uint8Array>): Promise<void>;
  finish(): Promise<void>;
}

const CONCURRENCY = 2;
const SMALL_LIMIT_BYTES = 4 * 1024 * 1024;

/** Adds a file whose content is at hand. */
export async function addBytes(
  target: FileTarget,
  name: string,
  content: Uint8Array | string,
): Promise<void> {
  const bytes = Buffer.from(content);
  await target.add(name, bytes.length, once(bytes));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/**
 * A folder, made where it is missing. Each file appears whole under its name. What is there stays, so that a second
 * image can be added to an OCI layout. `scratch`: see `outsideName`.
 */
export async function folderTarget(folder: string, scratch: string): Promise<FileTarget> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw wrapError(error, 'invalid-argument', `cannot make the folder ${folder}`);
  }
  return {
    concurrency: CONCURRENCY,
    has: async (name) => (await fileSize(join(folder, name))) !== undefined,
    readExisting: async (name) => await readSmall(join(folder, name)),
    add: async (name, sizeBytes, content) => {
      await addFile(join(folder, name), { scratch, sizeBytes, content });
    },
    finish: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

async function fileSize(path: string): Promise<number | undefined> {
  try {
    const found = await lstat(path);
    return found.isFile() ? found.size : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw wrapError(error, 'internal', `cannot look at ${path}`);
  }
}

async function readSmall(path: string): Promise<Buffer | undefined> {
  const size = await fileSize(path);
  if (size === undefined) return undefined;
  if (size > SMALL_LIMIT_BYTES) throw new OcitsError('hostile', `${path} has more than 4 MiB`);
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

interface AddedFile {
  readonly scratch: string;
  readonly sizeBytes: number;
  readonly content: AsyncIterable<Uint8Array>;
}

async function addFile(path: string, { scratch, sizeBytes, content }: AddedFile): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  using outside = outsideName(folder, scratch);
  const temporary = outside.path;
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      await writeExactly(file, sizeBytes, content);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {});
    throw wrapError(error, 'internal', `cannot write ${path}`);
  }
}

async function writeExactly(
  file: FileHandle,
  sizeBytes: number,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const staged = new StagedFile(file);
  let written = 0;
  for await (const chunk of content) {
    written += chunk.length;
    await staged.write(chunk);
  }
  if (written !== sizeBytes) {
    throw new OcitsError('size-mismatch', `the content has ${written} bytes, ${sizeBytes} were announced`);
  }
  await staged.drain();
}
