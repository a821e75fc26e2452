import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { PassThrough, type Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { OcitsError } from '../errors.ts';
import type { HostPaths } from '../system/paths.ts';
import { exited, spawnTool } from '../system/spawn.ts';
import { attachSocket, conmonFolder } from './conmon-folder.ts';
import { requireProgram } from './programs.ts';
import { readLog } from './read-log.ts';
import type { StartRequest } from './supervisor.ts';
import { toolEnvironment } from './tool-environment.ts';

/** The streams of a container under conmon, as a start has asked for them. */
export interface Attachment extends AsyncDisposable {
  readonly stdin?: Writable;
  readonly stdout?: PassThrough;
  readonly stderr?: PassThrough;
  /** Resolves when all output up to the container's end has been passed on. */
  readonly finished: Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Attaches to a container that conmon has created and that has not started. Output is what its log gets from now on,
 * so nothing is lost and nobody stands between the container and its log; input goes through socat, as Node cannot
 * open conmon's socket (SEQPACKET). Throws `missing-program` for socat.
 */
export async function attachConmon(
  paths: HostPaths,
  request: StartRequest,
  ended: Promise<unknown>,
): Promise<Attachment> {
  const { folder, stdio } = request;
  const stop = new AbortController();
  const input = stdio.stdin === 'ignore' ? undefined : startInput(paths, request);
  const stdout = stdio.stdout === 'pipe' ? new PassThrough() : undefined;
  const stderr = stdio.stderr === 'pipe' ? new PassThrough() : undefined;
  const targets = {
    stdout: stdout ?? (stdio.stdout === 'inherit' ? process.stdout : undefined),
    stderr: stderr ?? (stdio.stderr === 'inherit' ? process.stderr : undefined),
  };
  const hasOutput = targets.stdout !== undefined || targets.stderr !== undefined;
  const { log } = conmonFolder(paths, folder);
  const copied = hasOutput ? copyLog(log, targets, ended, stop.signal) : Promise.resolve();
  const finished = copied.finally(async () => {
    stdout?.end();
    stderr?.end();
    await ended.catch(() => {});
    await input?.stop();
  });
  finished.catch(() => {});
  return {
    ...(input?.stream == null ? {} : { stdin: input.stream }),
    ...(stdout === undefined ? {} : { stdout }),
    ...(stderr === undefined ? {} : { stderr }),
    finished,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await input?.stop();
    },
  };
}

async function copyLog(
  log: string,
  targets: { readonly stdout: Writable | undefined; readonly stderr: Writable | undefined },
  followUntil: Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  for await (const { stream, data } of readLog(log, { position: statSync(log).size, followUntil, signal })) {
    const target = targets[stream];
    if (target !== undefined && !target.destroyed) await write(target, data);
  }
}

/** A reader that has gone away is no failure of the container's. */
async function write(target: Writable, data: Buffer): Promise<void> {
  await new Promise<void>((resolve) => target.write(data, () => resolve()));
}

interface Input {
  readonly stream: Writable | null;
  stop(): Promise<void>;
}

function startInput(paths: HostPaths, { folder, spec, stdio }: StartRequest): Input {
  const isRaw = stdio.stdin === 'inherit' && spec.process.terminal && isatty(0);
  if (isRaw) process.stdin.setRawMode(true);
  // In the socket's folder, as a path in a socat address would need quoting and is limited in length.
  const child = spawnTool(
    requireProgram('socat'),
    ['-u', '-', 'UNIX-CONNECT:attach,type=5'],
    [stdio.stdin === 'inherit' ? 'inherit' : 'pipe', 'ignore', 'ignore'],
    { cwd: dirname(attachSocket(paths, folder)), env: toolEnvironment() },
  );
  const exit = exited(child, 'socat').catch((error: unknown) => error);
  // The container may end, and socat with it, before all input is taken.
  child.stdin?.on('error', () => {});
  return {
    stream: child.stdin,
    stop: async () => {
      child.kill('SIGTERM');
      const result = await exit;
      if (isRaw) process.stdin.setRawMode(false);
      if (result instanceof OcitsError) throw result;
    },
  };
}
