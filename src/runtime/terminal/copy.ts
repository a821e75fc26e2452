import type { ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { textIfThereSync } from '../../system/file/if-there.ts';
import { exited, spawnTool, tail } from '../../system/process/spawn.ts';
import { toolEnvironment } from '../launch/tool-environment.ts';
import { cannotWrite } from './cannot-write.ts';

/** What stands between a container and one of our own descriptors. */
export interface Copy {
  /** To be called once the container's process has ended; see `ChildStdio.finish`. */
  finish(): Promise<void>;
}

/** How long a copier that is still writing is left alone before it is looked at again. */
const LOOK_AGAIN_MS = 2;

/**
 * Has cat(1) copy what comes out of `from` to `to`. It has a session of its own, out of reach of the terminal's
 * signals: what a container prints when it is interrupted still arrives; and it goes on when ocits is killed.
 */
export function copyOutput(from: number, to: number, name: string): Copy {
  const child = spawnCat(from, to, 'pipe');
  const errors = tail(child.stderr!);
  const exit = Promise.all([exited(child, 'cat'), errors]);
  exit.catch(() => {});
  return {
    finish: async () => {
      const result = await Promise.race([exit, isIdle(child)]);
      if (result === undefined) return leave(child);
      const [{ code }, message] = result;
      if (code !== 0) throw cannotWrite(name, reasonOf(message));
    },
  };
}

/** Has cat(1) copy what our descriptor `from` has into `to`, until the container's process has ended. */
export function copyInput(from: number, to: number): Copy {
  const child = spawnCat(from, to, 'ignore');
  const exit = exited(child, 'cat');
  exit.catch(() => {});
  return {
    finish: async () => {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/**
 * Copies what is typed at our terminal into `to`: by ourselves, since another process would take a line from the shell
 * after us if we were killed.
 */
export function copyTyped(to: Writable, from: Readable = process.stdin): Copy {
  to.on('error', () => {});
  from.pipe(to);
  return {
    finish: async () => {
      from.unpipe(to);
      from.pause();
      to.destroy();
    },
  };
}

function spawnCat(from: number, to: number, stderr: 'pipe' | 'ignore'): ChildProcess {
  return spawnTool('cat', [], [from, to, stderr], { env: toolEnvironment(), detached: true });
}

/**
 * Resolves when a copier waits for its input, so that all that was printed before has been written. A process that
 * stays behind in the container may hold the pipe open for ever.
 */
async function isIdle(child: ChildProcess): Promise<undefined> {
  for (;;) {
    const call = textIfThereSync(`/proc/${child.pid}/syscall`);
    if (call !== undefined && READS_INPUT.test(call)) return undefined;
    await delay(LOOK_AGAIN_MS, undefined, { ref: false });
  }
}

/** proc(5): the number of the system call that it is blocked in, and its first argument, the descriptor 0. */
const READS_INPUT = /^\d+ 0x0 /;

/** Leaves a copier to itself: what is printed behind us goes where it always went. */
function leave(child: ChildProcess): void {
  child.stderr?.destroy();
  child.unref();
}

/** What cat says behind its own name and the file's. */
function reasonOf(message: string): string {
  return message.trim().replace(/^.*: /s, '') || 'it ended too early';
}
