import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { OcitsError } from '../../errors.ts';
import { showPath } from '../../layer/byte-path.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { nativePath } from '../../system/file/byte-name.ts';
import type { StackReader } from './stack-reader.ts';

const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** The content of a regular file of the merged tree; undefined where there is none. Throws `hostile` over the limit. */
export async function readPlaceFile(
  reader: StackReader,
  path: BytePath,
  limitBytes: number,
): Promise<Buffer | undefined> {
  const place = await reader.resolve(path);
  if (place === undefined || !place.stat.isFile()) return undefined;
  // The place is the file itself, whatever stands under its name by now.
  const fd = openSync(`/proc/self/fd/${place.fd}`, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return readUpTo(fd, path, limitBytes);
  } finally {
    closeSync(fd);
  }
}

/** A file may grow while it is read: what counts is what was read, not what its size was. */
function readUpTo(fd: number, path: BytePath, limitBytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(Math.min(fstatSync(fd).size, limitBytes) + 1);
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const read = readSync(fd, buffer, 0, buffer.length, null);
    if (read === 0) return Buffer.concat(chunks);
    total += read;
    if (total > limitBytes) {
      throw new OcitsError('hostile', `${showPath(path)} in the image has more than ${limitBytes} bytes`);
    }
    chunks.push(Buffer.from(buffer.subarray(0, read)));
  }
}

/** Opens a regular file of one layer's tree, of which only its own folders lead there. Throws `not-found`. */
export async function openLayerFile(tree: string, path: BytePath): Promise<FileHandle> {
  const prefix = Buffer.from(tree).toString('latin1');
  const parts = path.split('/');
  const isClean = parts.every((part) => part !== '' && part !== '.' && part !== '..');
  if (!isClean) throw notFound(path);
  for (let count = 1; count <= parts.length; count++) {
    const native = nativePath(`${prefix}/${parts.slice(0, count).join('/')}`);
    const stat = await lstat(native).catch(() => undefined);
    const isRight = count === parts.length ? stat?.isFile() : stat?.isDirectory();
    if (!isRight) throw notFound(path);
  }
  return await open(nativePath(`${prefix}/${path}`), OPEN_FILE);
}

function notFound(path: BytePath): OcitsError {
  return new OcitsError('not-found', `the layer has no regular file ${showPath(path)}`);
}
