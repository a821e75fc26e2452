/**
 * The room of descriptors and terminals: what a child has as standard input, output and error, our terminal handed
 * over byte by byte, and its size. `crun`, `conmon` and `exec` call it, and `container/start` has its types. It opens
 * no terminal of its own: that is conmon's.
 *
 *     using stdio = await childStdio({ stdin: 'inherit', stdout: 'pipe', stderr: 'pipe' }, folder, paths);
 *     const child = spawnTool(program, args, [...stdio.fds], { env: toolEnvironment() });
 *     stdio.closeChildEnds();
 */

import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { isErrno } from '../../errors.ts';
import type { HostPaths } from '../../system/paths.ts';
import { runTool } from '../../system/process/spawn.ts';
import type { StdioMode } from '../supervisor.ts';
import { isNullDevice, openNull } from './null-device.ts';

export interface StdioModes {
  readonly stdin: StdioMode;
  readonly stdout: StdioMode;
  readonly stderr: StdioMode;
}

/** The descriptors for a child, and our ends of the pipes among them. */
export interface ChildStdio extends Disposable {
  /** For spawn: 0 to 2, and a harmless file wherever an inherited descriptor would reach the child. */
  readonly fds: readonly (number | 'ignore')[];
  readonly stdin?: Writable | undefined;
  readonly stdout?: Readable | undefined;
  readonly stderr?: Readable | undefined;
  /** Closes the child's ends; to be called once the child is spawned. Does nothing a second time. */
  closeChildEnds(): void;
  /** Closes everything, for a child that never came to be. */
  [Symbol.dispose](): void;
}

const NAMES = ['stdin', 'stdout', 'stderr'] as const;

/**
 * Makes a child's descriptors. A pipe is a real one, not the socket that Node would make: programs open `/dev/stdout`,
 * which is an error on a socket. `folder` takes named pipes for a moment. The child gets no further descriptor of
 * ours, nor one that we have inherited ourselves: a folder among them would let a container enter the host by its
 * working directory (CVE-2024-21626). Nor does it get the host's /dev/null, which crun would give to its user: what is
 * ignored, or is /dev/null on our side, is a null device of ocits' own.
 */
export async function childStdio(
  modes: StdioModes,
  folder: string,
  { root }: Pick<HostPaths, 'root'>,
): Promise<ChildStdio> {
  const piped = NAMES.filter((name) => modes[name] === 'pipe');
  const fifos = piped.length === 0 ? undefined : await makeFifos(folder, piped);
  const opened: number[] = [];
  const streams: {
    stdin?: Writable | undefined;
    stdout?: Readable | undefined;
    stderr?: Readable | undefined;
  } = {};
  const close = () => {
    for (const fd of opened.splice(0)) closeSync(fd);
  };
  const dispose = () => {
    close();
    for (const stream of Object.values(streams)) stream?.destroy();
  };
  try {
    const nullFd = await openNull(root);
    opened.push(nullFd);
    const fds: (number | 'ignore')[] = NAMES.map((name, index) => {
      if (modes[name] === 'inherit') {
        if (isNullDevice(index)) return nullFd;
        const own = reopenPipe(index);
        if (own !== undefined) opened.push(own);
        return own ?? index;
      }
      if (modes[name] === 'ignore') return nullFd;
      const [childEnd, ownEnd] = openPipe(join(fifos!, name), name === 'stdin');
      opened.push(childEnd);
      const socket = new Socket({ fd: ownEnd, readable: name !== 'stdin', writable: name === 'stdin' });
      streams[name] = socket;
      return childEnd;
    });
    for (const fd of inheritedFds()) fds[fd] = nullFd;
    for (let fd = 3; fd < fds.length; fd++) fds[fd] ??= 'ignore';
    return { fds, ...streams, closeChildEnds: close, [Symbol.dispose]: dispose };
  } catch (error) {
    dispose();
    throw error;
  } finally {
    if (fifos !== undefined) rmSync(fifos, { recursive: true, force: true });
  }
}

/**
 * A pipe that we have inherited, opened anew: Node may have made it non-blocking on our side, and a program in a
 * container would fail on that. Undefined where the descriptor is no pipe, or not ours to open.
 */
function reopenPipe(fd: number): number | undefined {
  try {
    if (!fstatSync(fd).isFIFO()) return undefined;
    return openSync(`/proc/self/fd/${fd}`, fd === 0 ? constants.O_RDONLY : constants.O_WRONLY);
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM', 'ENOENT', 'EBADF')) return undefined;
    throw error;
  }
}

async function makeFifos(folder: string, names: readonly string[]): Promise<string> {
  const fifos = await mkdtemp(join(folder, '.stdio-'));
  await runTool('mkfifo', ['-m', '600', '--', ...names.map((name) => join(fifos, name))]);
  return fifos;
}

/** Two descriptors of a named pipe, each with flags of its own: the child's stays blocking. */
function openPipe(path: string, isInput: boolean): readonly [childEnd: number, ownEnd: number] {
  // Open for both, so that opening either end does not wait for the other.
  const keeper = openSync(path, constants.O_RDWR);
  try {
    const readEnd = openSync(path, constants.O_RDONLY);
    const writeEnd = openSync(path, constants.O_WRONLY);
    return isInput ? [readEnd, writeEnd] : [writeEnd, readEnd];
  } finally {
    closeSync(keeper);
  }
}

/** Descriptors from 3 on that would stay open in a child: inherited ones; Node marks all of its own close-on-exec. */
export function inheritedFds(): readonly number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && !isCloseOnExec(fd));
}

const CLOSE_ON_EXEC = 0o2000000;

function isCloseOnExec(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
    return (Number.parseInt(flags ?? '0', 8) & CLOSE_ON_EXEC) !== 0;
  } catch {
    // Closed in the meantime: it was the one that read the folder.
    return true;
  }
}
