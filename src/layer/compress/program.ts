import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { OcitsError } from '../../errors.ts';
import { exited, spawnTool, tail } from '../../system/process/spawn.ts';
import { type CompressedFile, nameOfFile } from '../compression-format.ts';
import { type BlockingPipe, openBlockingPipe, readBlocking } from './blocking-pipe.ts';
import { feedByThread } from './feed-by-thread.ts';
import { type Feeding, feedProgram } from './feed-program.ts';

export interface ProgramOptions {
  readonly signal?: AbortSignal | undefined;
  /** See DecompressOptions: a chunk is valid until the next is asked for then. */
  readonly pipePath?: string | undefined;
}

/**
 * The output of `program -d -c` with the source as its standard input; a file that is still being written is passed on
 * as it grows. Throws `corrupt` where the program fails, `missing-program` where it is not there, `aborted`. Ends it on
 * leaving.
 */
export async function* runDecompressor(
  program: string,
  source: CompressedFile,
  { signal, pipePath }: ProgramOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const pipe = pipePath === undefined ? undefined : await openBlockingPipe(pipePath);
  try {
    await using started = await start(program, source, { pipe, pipePath, signal });
    const { child, feeding } = started;
    const exit = exited(child, program);
    const complaint = tail(child.stderr!);
    exit.catch(() => {});
    complaint.catch(() => {});
    try {
      if (pipe === undefined) yield* child.stdout! as AsyncIterable<Buffer>;
      else yield* readBlocking(pipe.reader, signal);
      const { code, signal: endedBy } = await exit;
      feeding?.check();
      if (code !== 0) {
        const how = code === null ? `ended by ${endedBy}` : (await complaint).trim() || `exit code ${code}`;
        throw new OcitsError('corrupt', `cannot decompress ${nameOfFile(source)}: ${how}`);
      }
    } finally {
      child.kill('SIGKILL');
      child.stdout?.destroy();
      await exit.catch(() => {});
    }
  } finally {
    if (pipe !== undefined) closeSync(pipe.reader);
  }
}

interface Started extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly feeding: Feeding | undefined;
}

/** The program alone has the descriptors of its input and its output then, so the end of each is the other side's. */
async function start(
  program: string,
  source: CompressedFile,
  { pipe, pipePath, signal }: ProgramOptions & { readonly pipe: BlockingPipe | undefined },
): Promise<Started> {
  const output = pipe?.writer ?? 'pipe';
  const run = (input: number | 'pipe') =>
    spawnTool(program, ['-d', '-c'], [input, output, 'pipe'], { signal });
  const { growth, path } = source;
  try {
    if (growth !== undefined && pipePath === undefined) {
      const child = run('pipe');
      const feeding = feedProgram(child, source, signal);
      return { child, feeding, [Symbol.asyncDispose]: () => feeding[Symbol.asyncDispose]() };
    }
    const feeding = growth === undefined ? undefined : await feedByThread({ ...source, growth }, pipePath!);
    const input = feeding?.input ?? openSync(path, 'r');
    try {
      return {
        child: run(input),
        feeding,
        [Symbol.asyncDispose]: async () => await feeding?.[Symbol.asyncDispose](),
      };
    } finally {
      closeSync(input);
    }
  } finally {
    if (pipe !== undefined) closeSync(pipe.writer);
  }
}
