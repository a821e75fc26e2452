import { dirname } from 'node:path';
import type { PassThrough, Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { OcitsError } from '../../errors.ts';
import type { HostPaths } from '../../system/paths.ts';
import { requireProgram } from '../../system/process/programs.ts';
import { exited, spawnTool } from '../../system/process/spawn.ts';
import { toolEnvironment } from '../launch/tool-environment.ts';
import type { StartRequest } from '../supervisor.ts';
import { rawTerminal } from '../terminal/raw-terminal.ts';
import { attachSocket, conmonFolder } from './conmon-folder.ts';
import { followOutput } from './output.ts';

/** The streams of a container under conmon, as a start has asked for them. */
export interface Attachment extends AsyncDisposable {
  readonly stdin?: Writable | undefined;
  readonly stdout?: PassThrough | undefined;
  readonly stderr?: PassThrough | undefined;
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
  const input = stdio.stdin === 'ignore' ? undefined : await startInput(paths, request);
  const { log } = conmonFolder(paths, folder);
  const output = followOutput({ log, stdio, ended, signal: stop.signal });
  const finished = output.finished.finally(async () => {
    await ended.catch(() => {});
    await input?.stop();
  });
  finished.catch(() => {});
  return {
    ...(input?.stream == null ? {} : { stdin: input.stream }),
    ...output,
    finished,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await input?.stop();
    },
  };
}

interface Input {
  readonly stream: Writable | null;
  stop(): Promise<void>;
}

async function startInput(paths: HostPaths, { folder, spec, stdio }: StartRequest): Promise<Input> {
  const isRaw = stdio.stdin === 'inherit' && spec.process.terminal && isatty(0);
  const raw = isRaw ? await rawTerminal() : undefined;
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
      await raw?.[Symbol.asyncDispose]();
      if (result instanceof OcitsError) throw result;
    },
  };
}
