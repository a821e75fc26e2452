import { spawn } from 'node:child_process';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '../../../src/main.ts');

export interface OcitsRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program from its sources, with a store, a home and a configuration in `folder`. */
export async function runOcits(
  folder: string,
  args: readonly string[],
  options: { readonly input?: string; readonly env?: NodeJS.ProcessEnv; readonly terminal?: boolean } = {},
): Promise<OcitsRun> {
  const env = {
    PATH: process.env['PATH'],
    HOME: join(folder, 'home'),
    XDG_RUNTIME_DIR: join(folder, 'runtime'),
    OCITS_ROOT: join(folder, 'root'),
    OCITS_RUN: join(folder, 'run'),
    ...options.env,
  };
  const command = [process.execPath, MAIN, ...args];
  // script(1) runs it on a terminal of its own.
  const onTerminal = ['-qec', command.map((word) => `'${word}'`).join(' '), '/dev/null'];
  const child =
    options.terminal === true
      ? spawn('script', onTerminal, { env })
      : spawn(command[0]!, command.slice(1), { env });
  child.stdin.on('error', () => {});
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  if (options.terminal === true) {
    // A line is typed when it has been asked for.
    const lines = (options.input ?? '').split('\n');
    child.stdout.on('data', (chunk: Buffer) => {
      if (/: (?:\x1b\[\d+G)?$/.test(chunk.toString()) && lines.length > 0)
        child.stdin.write(`${lines.shift()}\r`);
    });
  } else child.stdin.end(options.input ?? '');
  const code = await new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1)));
  return { code, stdout, stderr };
}
