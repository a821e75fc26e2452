/**
 * The thread that hands a file to a program while the file is still being written: what `feedByThread` starts. It waits
 * and writes with blocking calls, so nothing else may be done in it.
 */

import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { isErrno, isOcitsError } from '../../errors.ts';
import { FileGrowth } from '../../system/file/file-growth.ts';

const CHUNK_BYTES = 256 * 1024;

export interface FeedJob {
  readonly path: string;
  /** The memory of the file's growth. */
  readonly growth: SharedArrayBuffer;
  /** The pipe's end, which this thread opens anew: the starter closes its own once it is told so by a message. */
  readonly pipe: number;
}

feed(workerData as FeedJob);

function feed({ path, growth: memory, pipe }: FeedJob): void {
  const growth = new FileGrowth(memory);
  // What a thread has opened is closed with it, also where it is ended.
  const output = openSync(`/proc/self/fd/${pipe}`, 'w');
  parentPort!.postMessage('opened');
  const file = openSync(path, 'r');
  try {
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    for (let position = 0; ; ) {
      const sizeBytes = growth.moreThanSync(position);
      if (sizeBytes <= position) return;
      const bytes = readSync(file, buffer, 0, Math.min(buffer.length, sizeBytes - position), position);
      // The file may have been cut short or written anew meanwhile.
      growth.check();
      position += bytes;
      for (let at = 0; at < bytes; ) at += writeSync(output, buffer, at, bytes - at);
    }
  } catch (error) {
    // The program may end without reading all; and whoever reads what it prints looks at the growth, too.
    if (!isErrno(error, 'EPIPE') && !isOcitsError(error, 'aborted')) throw error;
  } finally {
    closeSync(output);
    closeSync(file);
  }
}
