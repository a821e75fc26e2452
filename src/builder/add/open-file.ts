import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { OcitsError, wrapError } from '../../errors.ts';
import type { FileEntry } from '../../layer/layer-change.ts';
import { temporaryName } from '../../system/file/atomic-file.ts';
import type { OpenSource } from '../source/copy-source.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * Opens a file of an archive: in place in its plain tar, which is open as `tar`. One with holes is written out into the
 * private folder `scratch`, with its holes, where it has no name any more. Throws `disk-full`.
 */
export function openArchiveFile(tar: number, entry: FileEntry, scratch: string): OpenSource {
  const { dataOffset, sparse, sizeBytes } = entry;
  if (sparse === undefined) return { fd: tar, start: dataOffset, close: () => {} };
  const path = temporaryName(scratch);
  let fd = -1;
  try {
    fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    ftruncateSync(fd, sizeBytes);
    let from = dataOffset;
    for (const { offset, length } of sparse) {
      copyRange({ fd: tar, at: from }, { fd, at: offset }, length);
      from += length;
    }
    return { fd, close: () => closeSync(fd) };
  } catch (error) {
    if (fd !== -1) closeSync(fd);
    throw wrapError(error, 'internal', 'a sparse file of the archive cannot be written out');
  }
}

interface Place {
  readonly fd: number;
  readonly at: number;
}

function copyRange(from: Place, to: Place, length: number): void {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, length));
  for (let done = 0; done < length; ) {
    const wanted = Math.min(buffer.length, length - done);
    const count = readSync(from.fd, buffer, 0, wanted, from.at + done);
    if (count === 0) throw new OcitsError('corrupt', 'the archive ends within a file');
    for (let written = 0; written < count; ) {
      written += writeSync(to.fd, buffer, written, count - written, to.at + done + written);
    }
    done += count;
  }
}
