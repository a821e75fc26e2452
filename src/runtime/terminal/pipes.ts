import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { runTool } from '../../system/process/spawn.ts';

/** Both ends of a pipe, blocking. */
export interface Pipe {
  readonly readEnd: number;
  readonly writeEnd: number;
}

/**
 * Makes real pipes, not the sockets that Node would make: programs open `/dev/stdout`, which is an error on a socket.
 * They are named ones in `folder` for a moment. The caller closes all ends.
 */
export async function makePipes(count: number, folder: string): Promise<readonly Pipe[]> {
  if (count === 0) return [];
  const parent = await mkdtemp(join(folder, '.stdio-'));
  const names = Array.from({ length: count }, (_, index) => join(parent, `${index}`));
  const pipes: Pipe[] = [];
  try {
    await runTool('mkfifo', ['-m', '600', '--', ...names]);
    for (const name of names) pipes.push(openPipe(name));
    return pipes;
  } catch (error) {
    for (const { readEnd, writeEnd } of pipes) for (const end of [readEnd, writeEnd]) closeSync(end);
    throw error;
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

/** Two descriptors with flags of their own. */
function openPipe(path: string): Pipe {
  // Open for both, so that opening either end does not wait for the other.
  const keeper = openSync(path, constants.O_RDWR);
  try {
    const readEnd = openSync(path, constants.O_RDONLY);
    return { readEnd, writeEnd: openSync(path, constants.O_WRONLY) };
  } finally {
    closeSync(keeper);
  }
}
