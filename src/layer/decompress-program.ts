import { closeSync, openSync } from 'node:fs';
import { OcitsError } from '../errors.ts';
import { exited, spawnTool, tail } from '../system/spawn.ts';
import type { LayerSource } from './layer-change.ts';

/** The output of `program -d -c` with the layer as its standard input. Throws `corrupt` where it
 * fails, `tool-failed` where something ended it. Ends it on leaving. */
export async function* runDecompressor(
  program: string,
  source: LayerSource,
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
      throw new OcitsError(
        'corrupt',
        `cannot decompress the ${source.compression} layer ${source.path}: ${how}`,
      );
    }
  } finally {
    child.kill('SIGKILL');
    child.stdout!.destroy();
    await exit.catch(() => {});
  }
}
