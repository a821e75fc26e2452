/**
 * The room of work side by side: locks between processes, bounded pools, work that is done once, and undo when
 * something fails on the way. Every folder with effects calls it. Nothing here knows what the work is. A lock is the
 * kernel's, so none outlives its process.
 *
 *     const value = await withLock(path, { mode: 'exclusive', signal }, async () => await textIfThere(path));
 *     const sizes = await mapPool(files, { limit: 4, signal }, async (file) => (await stat(file)).size);
 *     await using undo = new UndoStack();
 */

import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { OcitsError } from '../../errors.ts';
import { exited, spawnTool } from '../process/spawn.ts';

/** A kernel lock on a file. It goes with the process, however that ends. */
export interface FileLock extends AsyncDisposable {
  release(): Promise<void>;
}

export interface LockOptions {
  readonly mode: 'shared' | 'exclusive';
  /** How long to wait; 0 tries once. The default waits until the signal aborts. */
  readonly waitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Work of a few milliseconds that this process has to do anyway. It is done while the lock is being taken. */
  readonly meanwhile?: (() => void) | undefined;
}

const LOCK_BUSY = 75;
const ROUND_SECONDS = 5;

/**
 * Takes a kernel lock (flock) on `path`, made where missing. Resolves to undefined where `waitMs` ran out.
 * The `flock` program locks our open file and ends; the lock stays with our descriptor. Waiting happens in
 * rounds of a few seconds, so that no program outlives a killed ocits for long.
 */
export async function lockFile(path: string, options: LockOptions): Promise<FileLock | undefined> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fd = openSync(path, 'a', 0o600);
  try {
    const { waitMs } = options;
    // A clock costs a millisecond to load: nobody looks at it where the wait has no end.
    const endsAt = waitMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + waitMs;
    const flag = options.mode === 'shared' ? '-s' : '-x';
    for (let round = 0; ; round++) {
      options.signal?.throwIfAborted();
      const left = waitMs === undefined ? endsAt : endsAt - performance.now();
      if (round > 0 && left <= 0) break;
      const wait = left <= 0 ? ['-n'] : ['-w', String(Math.min(left / 1000, ROUND_SECONDS))];
      const trying = tryLock([flag, ...wait, '-E', String(LOCK_BUSY), '3'], fd, options.signal);
      if (round === 0) options.meanwhile?.();
      if (await trying) {
        let held = true;
        const release = async () => {
          if (held) closeSync(fd);
          held = false;
        };
        return { release, [Symbol.asyncDispose]: release };
      }
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  closeSync(fd);
  return undefined;
}

async function tryLock(
  args: readonly string[],
  fd: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const child = spawnTool('flock', args, ['ignore', 'ignore', 'inherit', fd], { signal });
  const exit = await exited(child, 'flock');
  if (signal?.aborted) throw new OcitsError('aborted', 'interrupted while waiting for a lock');
  if (exit.code === 0) return true;
  if (exit.code === LOCK_BUSY) return false;
  throw new OcitsError('tool-failed', `flock ${args.join(' ')} failed with ${exit.code ?? exit.signal}`);
}

/** Runs `work` while holding the lock on `path`. */
export async function withLock<T>(
  path: string,
  options: Omit<LockOptions, 'waitMs'>,
  work: () => Promise<T>,
): Promise<T> {
  await using _lock = await lockFile(path, options);
  return await work();
}
