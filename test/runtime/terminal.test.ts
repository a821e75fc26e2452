import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createConmonSupervisor } from '../../src/runtime/conmon-supervisor.ts';
import type { StartRequest } from '../../src/runtime/supervisor.ts';
import { type ContainerHost, containerHost } from '../support/container-host.ts';

const SUPPORT = join(import.meta.dirname, '../support');
const TERMINAL = { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' } as const;

/** A signal makes busybox's `read` fail, and its trap runs after that. */
const LOOP = `trap 'echo now $(stty size)' WINCH; trap 'echo interrupted' INT; stty size
while :; do read line && echo "got $line"; [ "$line" != q ] || exit 9; done`;

/** A node program of ours on a terminal of 30 rows and 90 columns, made by script(1). */
class Session implements Disposable {
  readonly #child: ChildProcess;
  readonly #ttyFile: string;
  readonly ended: Promise<number | null>;
  screen = '';

  constructor(folder: string, args: readonly string[]) {
    this.#ttyFile = join(folder, 'tty');
    const program = [process.execPath, ...args].map((part) => `'${part}'`).join(' ');
    const command = `stty rows 30 cols 90; tty > ${this.#ttyFile}; exec ${program}`;
    this.#child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout!.on('data', (data) => {
      this.screen += String(data);
    });
    this.ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  type(text: string): void {
    this.#child.stdin!.write(text);
  }

  async shows(text: string | RegExp): Promise<void> {
    await vi.waitFor(() => expect(this.screen).toMatch(text), { timeout: 10_000, interval: 5 });
  }

  /** A shell runs its traps between the lines that it reads. */
  async answers(text: string): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (!this.screen.includes(text) && Date.now() < deadline) {
      this.type('\r');
      await delay(50);
    }
    expect(this.screen).toContain(text);
  }

  resize(rows: number, columns: number): void {
    const tty = readFileSync(this.#ttyFile, 'utf8').trim();
    execFileSync('stty', ['-F', tty, 'rows', `${rows}`, 'cols', `${columns}`]);
  }

  settings(): string {
    return execFileSync('stty', ['-a', '-F', readFileSync(this.#ttyFile, 'utf8').trim()], {
      encoding: 'utf8',
    });
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

function session(host: ContainerHost, program: string, request: object, ...more: readonly string[]): Session {
  const file = join(host.folder, 'request.json');
  writeFileSync(file, JSON.stringify(request));
  const opened = new Session(host.folder, [join(SUPPORT, program), file, host.paths.run, ...more]);
  onTestFinished(() => opened[Symbol.dispose]());
  return opened;
}

function interactive(host: ContainerHost, script: string): StartRequest {
  return host.request({ process: { args: ['sh', '-c', script], terminal: true } }, { stdio: TERMINAL });
}

test.each(['direct', 'conmon'])(
  '%s: a terminal has our size and follows it, takes what is typed, and ends with the code',
  async (kind) => {
    await using host = await containerHost();
    const request = interactive(host, LOOP);
    const terminal = session(host, 'run-container.ts', request, kind);
    await terminal.shows('30 90');
    terminal.type('hello\r');
    await terminal.shows('got hello');
    terminal.resize(40, 120);
    await terminal.answers('now 40 120');
    terminal.type('\u0003');
    await terminal.answers('interrupted');
    if (kind === 'conmon') expect(terminal.screen).not.toContain('\r\r');
    terminal.type('q\r');
    expect(await terminal.ended).toBe(9);
  },
);

test.each(['direct', 'conmon'])(
  '%s: our terminal is as before once the container has ended',
  async (kind) => {
    await using host = await containerHost();
    const request = interactive(host, 'read line; exit 0');
    const file = join(host.folder, 'request.json');
    writeFileSync(file, JSON.stringify(request));
    const wrapper = join(host.folder, 'wrapper.mjs');
    const driver = [join(SUPPORT, 'run-container.ts'), file, host.paths.run, kind];
    writeFileSync(
      wrapper,
      `import { spawnSync } from 'node:child_process';
    spawnSync(process.execPath, ${JSON.stringify(driver)}, { stdio: 'inherit' });
    console.log('back'); setTimeout(() => {}, 5000);`,
    );
    const terminal = new Session(host.folder, [wrapper]);
    onTestFinished(() => terminal[Symbol.dispose]());
    await vi.waitFor(() => expect(terminal.settings()).toMatch(/-icanon/), { timeout: 10_000 });
    terminal.type('x\r');
    await terminal.shows('back');
    expect(terminal.settings()).toMatch(/ icanon/);
  },
);

test('exec has a terminal of our size, and its code', async () => {
  await using host = await containerHost();
  const quiet = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const;
  const target = host.request({ process: { args: ['sleep', '600'] } }, { stdio: quiet });
  await createConmonSupervisor(host.paths).start(target);
  const { folder, spec } = target;
  const process = { ...spec.process, args: ['sh', '-c', LOOP], terminal: true };
  const terminal = session(host, 'run-exec.ts', {
    containerId: spec.id,
    folder,
    security: spec.security,
    process,
    stdio: TERMINAL,
  });
  await terminal.shows('30 90');
  terminal.type('a\r');
  await terminal.shows('got a');
  terminal.resize(41, 121);
  await terminal.answers('41 121');
  terminal.type('q\r');
  expect(await terminal.ended).toBe(9);
});
