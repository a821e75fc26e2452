import { isatty } from 'node:tty';
import { runTool } from '../../system/process/spawn.ts';
import type { StartRequest } from '../supervisor.ts';

export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/** The size of the terminal that this process is on; undefined without one. */
export function windowSize(): WindowSize | undefined {
  // Not `stream.isTTY`: to look at a stream that is a pipe makes the pipe non-blocking.
  const terminal = isatty(1) ? process.stdout : isatty(2) ? process.stderr : undefined;
  return terminal === undefined ? undefined : { rows: terminal.rows, columns: terminal.columns };
}

/**
 * Keeps the terminal of a container's process (its descriptor 0) as large as ours, until disposed, on every change of
 * our window. crun gives the first size and never follows.
 */
export function followWindow(pid: number, size: () => WindowSize | undefined = windowSize): Disposable {
  let under = Promise.resolve();
  const resize = () => {
    under = under.then(async () => {
      const now = size();
      if (now === undefined) return;
      const args = ['-F', `/proc/${pid}/fd/0`, 'rows', String(now.rows), 'cols', String(now.columns)];
      // The process may have ended: nobody is left to see the size.
      await runTool('stty', args).catch(() => {});
    });
  };
  process.on('SIGWINCH', resize);
  return { [Symbol.dispose]: () => process.off('SIGWINCH', resize) };
}

/** The first size of the container's terminal is ours, where we have one and the caller has not said. */
export function withWindow(request: StartRequest): StartRequest {
  const { process } = request.spec;
  const consoleSize = process.consoleSize ?? windowSize();
  if (!process.terminal || consoleSize === undefined) return request;
  return { ...request, spec: { ...request.spec, process: { ...process, consoleSize } } };
}
