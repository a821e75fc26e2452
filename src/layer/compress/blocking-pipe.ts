import { closeSync, constants, openSync, readSync, rmSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { runTool } from '../../system/process/spawn.ts';

const BUFFER_BYTES = 256 * 1024;
/** The event loop gets its turn after so many reads, for the message that stops the work. */
const READS_A_TURN = 32;

/** Both ends are the holder's to close. */
export interface BlockingPipe {
  readonly reader: number;
  readonly writer: number;
}

/**
 * A pipe that a thread reads with blocking calls, into one buffer: streams cost a piece of memory, a handful of promises
 * and a turn of the event loop for every 64 KiB, which is more than what a layer's reader does with them. Only for a
 * thread that nothing else waits for, and for a writer that goes on by itself. It has the name `path` for a moment.
 */
export async function openBlockingPipe(path: string): Promise<BlockingPipe> {
  // Node can neither make a pipe nor read one of its own without its event loop.
  await runTool('mkfifo', ['-m', '600', '--', path]);
  try {
    // Each end opens only while the other is there.
    const first = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const writer = openSync(path, constants.O_WRONLY);
      try {
        return { writer, reader: openSync(path, constants.O_RDONLY) };
      } catch (error) {
        closeSync(writer);
        throw error;
      }
    } finally {
      closeSync(first);
    }
  } finally {
    rmSync(path);
  }
}

/** What comes through, until all writers have closed it. A chunk is valid until the next is asked for. */
export async function* readBlocking(
  reader: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  for (let reads = 1; ; reads++) {
    const bytes = readSync(reader, buffer);
    if (bytes === 0) return;
    yield buffer.subarray(0, bytes);
    if (reads % READS_A_TURN !== 0) continue;
    await setImmediate();
    signal?.throwIfAborted();
  }
}
