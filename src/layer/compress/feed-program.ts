import type { ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';
import { isErrno } from '../../errors.ts';
import type { CompressedFile } from '../compression-format.ts';
import { growingContent } from './growing-content.ts';

/** A program that is fed; disposing ends the feeding. */
export interface Feeding extends AsyncDisposable {
  /** Call it once the program has ended. Throws where its input did not end but broke off. */
  check(): void;
}

/** Feeds a program with a file that is still being written. Where the file is dropped, the program is killed. */
export function feedProgram(
  child: ChildProcess,
  source: CompressedFile,
  signal: AbortSignal | undefined,
): Feeding {
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  let failure: { readonly error: unknown } | undefined;
  const fed = feed(child.stdin!, source, either).catch((error: unknown) => {
    failure = { error };
    child.kill('SIGKILL');
  });
  return {
    check: () => {
      if (failure !== undefined) throw failure.error;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      child.stdin!.destroy();
      await fed;
    },
  };
}

async function feed(stdin: Writable, source: CompressedFile, signal: AbortSignal): Promise<void> {
  // Each write is awaited, which sees its failures.
  stdin.on('error', () => {});
  try {
    for await (const chunk of growingContent(source, { signal, transient: true })) await write(stdin, chunk);
    stdin.end();
  } catch (error) {
    // The program may end without reading all; its exit code says whether that matters.
    if (!isErrno(error, 'EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED')) throw error;
  }
}

async function write(stdin: Writable, chunk: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stdin.write(chunk, (error) => (error == null ? resolve() : reject(error)));
  });
}
