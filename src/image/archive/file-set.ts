import { constants, createReadStream } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, OcitsError, wrapError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { digestAlgorithm, digestOf } from '../../oci/digest.ts';

/** Files by name, such as those of an OCI layout: a folder or an archive. Names have no `.` or `..` parts. */
export interface FileSet extends AsyncDisposable {
  /** The size of a regular file; undefined where there is none of that name. */
  sizeOf(name: string): Promise<number | undefined>;
  /** The bytes from `offset` on. Throws `not-found`. */
  read(name: string, offset?: number): Promise<AsyncIterable<Uint8Array>>;
}

const READ_CHUNK_BYTES = 512 * 1024;

/** All of a small file. Throws `not-found`, and `hostile` where it is over `limitBytes`. */
export async function readSmallFile(files: FileSet, name: string, limitBytes: number): Promise<Buffer> {
  const size = await files.sizeOf(name);
  if (size === undefined) throw new OcitsError('not-found', `there is no ${name}`);
  if (size > limitBytes) {
    throw new OcitsError('hostile', `${name} has ${size} bytes, more than ${limitBytes}`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of await files.read(name)) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** A small blob, verified. Throws as `readSmallFile`, `digest-mismatch`, `size-mismatch`. */
export async function readSmallBlob(
  files: FileSet,
  name: string,
  { digest, size }: Descriptor,
  limitBytes: number,
): Promise<Buffer> {
  const content = await readSmallFile(files, name, limitBytes);
  if (digestOf(content, digestAlgorithm(digest)) !== digest) {
    throw new OcitsError('digest-mismatch', `${name} does not match its digest`);
  }
  if (content.length === size) return content;
  throw new OcitsError('size-mismatch', `${name} has another size than its descriptor says`);
}

/** The first bytes of a file, at most `count`. Throws `not-found`. */
export async function readStart(files: FileSet, name: string, count: number): Promise<Buffer> {
  for await (const chunk of await files.read(name)) return Buffer.from(chunk.subarray(0, count));
  return Buffer.alloc(0);
}

/** The files of a folder, and of folders below it. Symlinks are not followed: the folder may come from anywhere. */
export function folderFiles(folder: string): FileSet {
  return {
    sizeOf: async (name) => {
      try {
        const found = await lstat(join(folder, checkedName(name)));
        return found.isFile() ? found.size : undefined;
      } catch (error) {
        if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
        throw wrapError(error, 'internal', `cannot look at ${name} in ${folder}`);
      }
    },
    read: async (name, offset = 0) => {
      const file = await openRegular(folder, name);
      return createReadStream('', { fd: file, start: offset, highWaterMark: READ_CHUNK_BYTES });
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

async function openRegular(folder: string, name: string): Promise<FileHandle> {
  const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants;
  let file: FileHandle;
  try {
    // A fifo would block without O_NONBLOCK.
    file = await open(join(folder, checkedName(name)), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) {
      throw new OcitsError('not-found', `there is no file ${name} in ${folder}`);
    }
    throw wrapError(error, 'internal', `cannot open ${name} in ${folder}`);
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new OcitsError('hostile', `${name} in ${folder} is no regular file`);
}

function checkedName(name: string): string {
  const isSafe = name !== '' && !name.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (isSafe && !name.includes('\0')) return name;
  throw new OcitsError('hostile', `${JSON.stringify(name)} is not a name inside the folder`);
}
