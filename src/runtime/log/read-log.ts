/**
 * The room of container logs as conmon writes them: read from the start or the last lines, filtered by time, and
 * followed while the container runs. `container/show` calls it for `logs`, and `conmon` for the output of a container
 * that it watches. It only reads; memory does not depend on the length of the log.
 *
 *     const options = { tail: 10, followUntil: waitForExit(folder, signal), signal };
 *     for await (const { stream, data } of readLog(path, options)) process[stream].write(data);
 */

import { watch } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { isErrno } from '../../errors.ts';
import { type LogChunk, type LogFilter, LogParser } from './parser.ts';
import { readAt, tailStart } from './tail.ts';

export interface ReadLogOptions extends LogFilter {
  /** Only the last lines: how many of them. */
  readonly tail?: number | undefined;
  /** Only what was written behind this many bytes of the file. */
  readonly position?: number | undefined;
  /** Go on with what is written later, until this resolves and all written by then is read. */
  readonly followUntil?: Promise<unknown> | undefined;
  readonly signal?: AbortSignal | undefined;
}

const READ_BYTES = 1024 * 1024;

/**
 * Reads a container's log, oldest first, in memory that does not depend on its length; the last `tail` lines are found
 * from its end. A log that is not there is empty. Ends quietly when `signal` aborts.
 */
export async function* readLog(path: string, options: ReadLogOptions = {}): AsyncGenerator<LogChunk> {
  await using file = await openLog(path);
  if (file === undefined) return;
  const parser = new LogParser(options);
  let position = options.tail === undefined ? (options.position ?? 0) : await tailStart(file, options.tail);
  using changes = options.followUntil === undefined ? undefined : watchChanges(path, options);
  for (;;) {
    // Asked before reading: what was written before the end is read after it.
    const isLast = changes === undefined || changes.hasEnded();
    for (;;) {
      if (options.signal?.aborted || parser.isDone) return;
      const bytes = await readAt(file, position, READ_BYTES);
      if (bytes.length === 0) break;
      position += bytes.length;
      yield* parser.push(bytes);
    }
    if (isLast) return;
    await changes.next();
  }
}

interface Changes extends Disposable {
  /** Resolves once the log may have grown, or its end has come. */
  next(): Promise<void>;
  hasEnded(): boolean;
}

function watchChanges(path: string, { followUntil, signal }: ReadLogOptions): Changes {
  let isChanged = false;
  let isEnded = false;
  let wake = () => {};
  const changed = () => {
    isChanged = true;
    wake();
  };
  const ended = () => {
    isEnded = true;
    changed();
  };
  const watcher = watch(path, changed);
  watcher.on('error', ended);
  void followUntil?.then(ended, ended);
  signal?.addEventListener('abort', ended, { once: true });
  return {
    hasEnded: () => isEnded,
    next: async () => {
      if (!isChanged) await new Promise<void>((resolve) => (wake = resolve));
      isChanged = false;
    },
    [Symbol.dispose]: () => {
      watcher.close();
      signal?.removeEventListener('abort', ended);
    },
  };
}

async function openLog(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
