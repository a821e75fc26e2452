import { closeSync, openSync } from 'node:fs';
import { OcitsError } from '../../errors.ts';
import { exited, spawnTool, tail } from '../../system/process/spawn.ts';
import { type CompressedFile, nameOfFile } from '../compression-format.ts';
import { openBlockingPipe, readBlocking } from './blocking-pipe.ts';
import { feedProgram } from './feed-program.ts';

export interface ProgramOptions {
  readonly signal?: AbortSignal | undefined;
  /** See DecompressOptions: a chunk is valid until the next is asked for then. */
  readonly pipePath?: string | undefined;
}

/**
 * The output of `program -d -c` with the source as its standard input; a file that is still being written is passed on
 * as it grows, and must not be given a pipe. Throws `corrupt` where the program fails, `missing-program` where it is
 * not there, `aborted`. Ends it on leaving.
 */
export async function* runDecompressor(
  program: string,
  source: CompressedFile,
  { signal, pipePath }: ProgramOptions,
): AsyncGenerator<Buffer, void, undefined> {
  const pipe = pipePath === undefined ? undefined : await openBlockingPipe(pipePath);
  try {
    const child = startProgram(program, source, pipe?.writer ?? 'pipe', signal);
    await using feeding = source.growth === undefined ? undefined : feedProgram(child, source, signal);
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

/** A descriptor for the output is closed here: the program alone has it then, and its end is the pipe's. */
function startProgram(
  program: string,
  source: CompressedFile,
  output: number | 'pipe',
  signal: AbortSignal | undefined,
): ReturnType<typeof spawnTool> {
  try {
    const options = signal === undefined ? {} : { signal };
    if (source.growth !== undefined)
      return spawnTool(program, ['-d', '-c'], ['pipe', output, 'pipe'], options);
    const input = openSync(source.path, 'r');
    try {
      return spawnTool(program, ['-d', '-c'], [input, output, 'pipe'], options);
    } finally {
      closeSync(input);
    }
  } finally {
    if (typeof output === 'number') closeSync(output);
  }
}
