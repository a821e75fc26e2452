/**
 * The room of processes: the host's programs found and run, a process told from a later one with the same ID, and the
 * check of the host. Everyone who runs a program does it by this room. Arguments go as an array and never through a
 * shell; a program that is missing is an error that names its package.
 *
 *     const { stdout } = await runTool('getfattr', ['--version'], { signal });
 *     const isThere = isRunning(ownIdentity());
 *     const crun = requireProgram('crun');
 */

import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isErrno, OcitsError, wrapError } from '../../errors.ts';

const TAIL_BYTES = 8192;
const CAPTURE_LIMIT_BYTES = 64 * 1024 * 1024;

export interface ToolOptions {
  readonly cwd?: string | undefined;
  /** The whole environment of the child; the default is this process's. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly input?: string | Uint8Array | Readable | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Exit codes that are no failure; the default is 0 alone. */
  readonly okCodes?: readonly number[] | undefined;
  /**
   * Keep all of standard error, as of standard output, for callers that read its lines. By default only its end is
   * kept.
   */
  readonly keepsStderr?: boolean | undefined;
}

export interface RunResult {
  readonly stdout: Buffer;
  /** The last 8 KiB of standard error, or all of it where `keepsStderr`. */
  readonly stderr: string;
  readonly exitCode: number;
}

/**
 * Runs a program to its end with an argument array, never through a shell, and captures what it prints.
 * Throws `missing-program` (with the Debian package where known), `tool-failed` with the end of standard error
 * as part of the message and `exitCode`, or `aborted`.
 */
export async function runTool(
  program: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<RunResult> {
  const stdin = options.input === undefined ? 'ignore' : 'pipe';
  const child = spawnTool(program, args, [stdin, 'pipe', 'pipe'], options);
  const exit = exited(child, program);
  exit.catch(() => {});
  const feeding = options.input === undefined ? undefined : feed(child.stdin!, options.input);
  feeding?.catch(() => {});
  const readStderr = options.keepsStderr === true ? captureText : tail;
  const [stdout, stderr] = await Promise.all([capture(child.stdout!), readStderr(child.stderr!)]);
  const { code, signal } = await exit;
  await feeding;
  if (options.signal?.aborted) throw new OcitsError('aborted', `${program} was interrupted`);
  const exitCode = code ?? 128;
  if (code === null || !(options.okCodes ?? [0]).includes(code)) {
    const how = code === null ? `was ended by ${signal}` : `failed with exit code ${code}`;
    const text = stderr.trim();
    throw new OcitsError(
      'tool-failed',
      `${program} ${args[0] ?? ''} ${how}${text === '' ? '' : `: ${text}`}`,
      { exitCode },
    );
  }
  return { stdout, stderr, exitCode };
}

/**
 * Starts a program; the caller reads and awaits it. An aborted signal ends it with SIGTERM. Throws `tool-failed` where
 * there are no descriptors left for it.
 */
export function spawnTool(
  program: string,
  args: readonly string[],
  stdio: StdioOptions,
  options: {
    readonly cwd?: string | undefined;
    readonly env?: NodeJS.ProcessEnv | undefined;
    readonly signal?: AbortSignal | undefined;
    /** In a session of its own, out of reach of the terminal's signals. */
    readonly detached?: boolean | undefined;
  } = {},
): ChildProcess {
  const { cwd, env, detached, signal } = options;
  let child: ChildProcess;
  try {
    child = spawn(program, [...args], { stdio, cwd, env, detached });
  } catch (error) {
    throw notStarted(program, error as Error);
  }
  // Node has made no streams then, and says why only later.
  if (child.stdio === undefined) {
    child.once('error', () => {});
    throw notStarted(program, noDescriptors());
  }
  if (signal !== undefined) {
    const stop = () => child.kill('SIGTERM');
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    child.once('exit', () => signal.removeEventListener('abort', stop));
  }
  return child;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Resolves when the child and its pipes have ended; throws `missing-program` where it could not be started. */
export function exited(child: ChildProcess, program: string): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      // A kill that came too late also arrives here; the exit follows.
      if (child.pid !== undefined) return;
      if (isErrno(error, 'ENOENT')) reject(missingProgram(program, error));
      else reject(notStarted(program, error));
    });
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

function notStarted(program: string, error: Error): OcitsError {
  // fcntl(2): that is the answer where a descriptor's number would be beyond the limit.
  const cause = isErrno(error, 'EINVAL') ? noDescriptors() : error;
  return wrapError(cause, 'tool-failed', `cannot start ${program}`);
}

function noDescriptors(): Error {
  return Object.assign(new Error('spawn EMFILE'), { code: 'EMFILE' });
}

/** Debian's package of each program, where it has another name. */
const PACKAGES: Readonly<Record<string, string>> = {
  unshare: 'util-linux',
  nsenter: 'util-linux',
  flock: 'util-linux',
  umount: 'mount',
  setfattr: 'attr',
  getfattr: 'attr',
  ip: 'iproute2',
  'iptables-save': 'iptables',
  'iptables-restore': 'iptables',
  igzip: 'isal',
  newuidmap: 'uidmap',
  perl: 'perl-base',
  ps: 'procps',
  xz: 'xz-utils',
};

/** The Debian package that has a program. */
export function packageOf(program: string): string {
  return PACKAGES[program] ?? program;
}

/** The error for a program that the host lacks, naming the Debian package that has it. */
export function missingProgram(program: string, cause?: unknown): OcitsError {
  const name = program.slice(program.lastIndexOf('/') + 1);
  return new OcitsError('missing-program', `${name} is not installed`, {
    hint: `install it, for example: apt-get install ${packageOf(name)}`,
    cause,
  });
}

async function capture(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > CAPTURE_LIMIT_BYTES) throw new OcitsError('tool-failed', 'a program printed more than 64 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function captureText(stream: Readable): Promise<string> {
  return (await capture(stream)).toString('utf8');
}

/** Reads a stream to its end and keeps the last 8 KiB. */
export async function tail(stream: Readable): Promise<string> {
  let kept: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    kept = Buffer.concat([kept, chunk]);
    if (kept.length > TAIL_BYTES) kept = kept.subarray(kept.length - TAIL_BYTES);
  }
  return kept.toString('utf8');
}

async function feed(stdin: Writable, input: string | Uint8Array | Readable): Promise<void> {
  try {
    if (typeof input === 'string' || input instanceof Uint8Array) {
      await new Promise<void>((resolve, reject) => {
        stdin.once('error', reject);
        stdin.end(input, () => resolve());
      });
    } else {
      await pipeline(input, stdin);
    }
  } catch (error) {
    // The program may end without reading all; its exit code says whether that matters.
    if (!isErrno(error, 'EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED'))
      throw error;
  }
}
