import { createHash, hash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { BytePath } from '../../layer/layer-change.ts';
import { nativePath } from '../../system/file/byte-name.ts';
import { changedFile } from '../source/copy-error.ts';
import { type FileStamp, stampOf } from '../source/stamp.ts';
import type { ContextDigests } from './digests.ts';

const CHUNK_BYTES = 1024 * 1024;
const TURN_MS = 30;

/** A file of the host, and the state in which it was met. */
export interface StampedFile {
  readonly path: BytePath;
  readonly stamp: FileStamp;
}

/**
 * The sha256 of each file's content in hex, from `known` where it is there, else by reading it. `prefix` and the path
 * make the file's name. The event loop gets its turn every few milliseconds. Throws `in-use` where a file is gone or
 * changes meanwhile.
 */
export async function hashFiles(
  prefix: BytePath,
  files: readonly StampedFile[],
  known: ContextDigests,
  signal?: AbortSignal,
): Promise<string[]> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const digests: string[] = [];
  let turnEnds = performance.now() + TURN_MS;
  const breathe = async () => {
    if (performance.now() < turnEnds) return;
    await nextTurn();
    signal?.throwIfAborted();
    turnEnds = performance.now() + TURN_MS;
  };
  for (const file of files) {
    let hex = known.get(file.path, file.stamp);
    if (hex === undefined) {
      const startedMs = Date.now();
      hex = await hashFile(prefix + file.path, file, buffer, breathe);
      known.set(file.path, file.stamp, hex, startedMs);
      await breathe();
    }
    digests.push(hex);
  }
  return digests;
}

async function hashFile(
  name: BytePath,
  { path, stamp }: StampedFile,
  buffer: Buffer,
  breathe: () => Promise<void>,
): Promise<string> {
  let fd: number;
  try {
    fd = openSync(nativePath(name), 'r');
  } catch (error) {
    throw changedFile(path, error);
  }
  try {
    // The first read of a small file is the only one: its size is known.
    let count = readSync(fd, buffer, 0, buffer.length, null);
    if (count === stamp.size && count < buffer.length)
      return hash('sha256', buffer.subarray(0, count), 'hex');
    const whole = createHash('sha256');
    let total = 0;
    for (; count > 0; count = readSync(fd, buffer, 0, buffer.length, null)) {
      whole.update(buffer.subarray(0, count));
      total += count;
      await breathe();
    }
    if (total !== stamp.size || stampOf(fstatSync(fd)).ctimeMs !== stamp.ctimeMs) throw changedFile(path);
    return whole.digest('hex');
  } finally {
    closeSync(fd);
  }
}
