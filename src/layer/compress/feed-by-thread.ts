import { closeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { FileGrowth } from '../../system/file/file-growth.ts';
import type { CompressedFile } from '../compression-format.ts';
import { openBlockingPipe } from './blocking-pipe.ts';
import type { Feeding } from './feed-program.ts';
import type { FeedJob } from './feed-thread.ts';

export interface ThreadFeeding extends Feeding {
  /** What the program has as its standard input. It is the caller's to close once the program has it. */
  readonly input: number;
}

/**
 * Feeds a program with a file that is still being written, by a thread: for a caller that reads what the program prints
 * with blocking calls, which a feeding on its own thread would wait for. The pipe has the name `pipePath` for a moment.
 */
export async function feedByThread(
  source: CompressedFile & { readonly growth: SharedArrayBuffer },
  pipePath: string,
): Promise<ThreadFeeding> {
  const growth = new FileGrowth(source.growth);
  const pipe = await openBlockingPipe(pipePath);
  const workerData: FeedJob = { path: source.path, growth: source.growth, pipe: pipe.writer };
  const name = import.meta.url.endsWith('.ts') ? './feed-thread.ts' : './feed-thread.js';
  let failure: { readonly error: unknown } | undefined;
  try {
    const thread = new Worker(new URL(name, import.meta.url), { workerData, execArgv: [] });
    thread.on('error', (error) => {
      failure = { error };
    });
    await new Promise<void>((resolve) => {
      thread.once('message', () => resolve());
      thread.once('exit', () => resolve());
    });
    return {
      input: pipe.reader,
      check: () => {
        if (failure !== undefined) throw failure.error;
        growth.check();
      },
      [Symbol.asyncDispose]: async () => void (await thread.terminate()),
    };
  } catch (error) {
    closeSync(pipe.reader);
    throw error;
  } finally {
    closeSync(pipe.writer);
  }
}
