import { statSync } from 'node:fs';
import { PassThrough, type Writable } from 'node:stream';
import { getSystemErrorMessage } from 'node:util';
import { isErrno, type OcitsError } from '../../errors.ts';
import { readLog } from '../log/read-log.ts';
import { cannotWrite } from '../terminal/cannot-write.ts';
import type { StdioModes } from '../terminal/stdio-plan.ts';

/** The streams of what conmon watches, read from its log. */
export interface Output {
  readonly stdout?: PassThrough | undefined;
  readonly stderr?: PassThrough | undefined;
  /** Resolves when all up to the end has been passed on; throws where that cannot be written. */
  readonly finished: Promise<void>;
}

export interface OutputSource {
  readonly log: string;
  readonly stdio: Pick<StdioModes, 'stdout' | 'stderr'>;
  readonly ended: Promise<unknown>;
  /** Where in the log to begin; its present end by default. */
  readonly position?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Targets {
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
}

/** Passes on what a log gets, as `stdio` asks, until `ended` resolves. */
export function followOutput(source: OutputSource): Output {
  const { stdio } = source;
  const stdout = stdio.stdout === 'pipe' ? new PassThrough() : undefined;
  const stderr = stdio.stderr === 'pipe' ? new PassThrough() : undefined;
  const targets = {
    stdout: stdout ?? (stdio.stdout === 'inherit' ? process.stdout : undefined),
    stderr: stderr ?? (stdio.stderr === 'inherit' ? process.stderr : undefined),
  };
  const hasOutput = targets.stdout !== undefined || targets.stderr !== undefined;
  const copied = hasOutput ? copyLog(source, targets) : Promise.resolve();
  const finished = copied.finally(() => {
    stdout?.end();
    stderr?.end();
  });
  finished.catch(() => {});
  return {
    stdout,
    stderr,
    finished,
  };
}

async function copyLog({ log, ended, position, signal }: OutputSource, targets: Targets): Promise<void> {
  const from = position ?? statSync(log).size;
  const options = { position: from, followUntil: ended, signal };
  let failure: OcitsError | undefined;
  for await (const { stream, data } of readLog(log, options)) {
    const target = targets[stream];
    if (target === undefined || target.destroyed || target.errored !== null) continue;
    const error = await write(target, data);
    // A reader that has gone away is no failure of the container's.
    if (error == null || isErrno(error, 'EPIPE', 'ERR_STREAM_DESTROYED')) continue;
    // The container goes on, and its log has all that it prints.
    failure ??= cannotWrite(stream, reasonOf(error));
  }
  if (failure !== undefined) throw failure;
}

function write(target: Writable, data: Buffer): Promise<Error | null | undefined> {
  return new Promise((resolve) => void target.write(data, resolve));
}

function reasonOf(error: NodeJS.ErrnoException): string {
  return error.errno === undefined ? error.message : getSystemErrorMessage(error.errno);
}
