import { closeSync, openSync } from 'node:fs';
import { OcitsError } from '../errors.ts';
import { exited, spawnTool, tail } from '../system/spawn.ts';
import { type CompressedFile, nameOfFile } from './compression-format.ts';

/**
 * The output of `program -d -c` with the source as its standard input. Throws `corrupt` where it fails,
 * `missing-program` where it is not there. Ends it on leaving.
 */
export async function* runDecompressor(
  program: string,
  source: CompressedFile,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const fd = openSync(source.path, 'r');
  let child: ReturnType<typeof spawnTool>;
  try {
    child = spawnTool(program, ['-d', '-c'], [fd, 'pipe', 'pipe'], signal === undefined ? {} : { signal });
  } finally {
    closeSync(fd);
  }
  const exit = exited(child, program);
  const complaint = tail(child.stderr!);
  exit.catch(() => {});
  complaint.catch(() => {});
  try {
    yield* child.stdout! as AsyncIterable<Buffer>;
    const { code, signal: endedBy } = await exit;
    if (code !== 0) {
      const how = code === null ? `ended by ${endedBy}` : (await complaint).trim() || `exit code ${code}`;
      throw new OcitsError('corrupt', `cannot decompress ${nameOfFile(source)}: ${how}`);
    }
  } finally {
    child.kill('SIGKILL');
    child.stdout!.destroy();
    await exit.catch(() => {});
  }
}
