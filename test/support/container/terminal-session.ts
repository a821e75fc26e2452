import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, vi } from 'vitest';
import { PATIENCE_MS } from '../program/patience.ts';

/** A shell command on a terminal of its own of 30 rows and 90 columns, made by script(1). `folder` takes a small file. */
export class TerminalSession implements Disposable {
  readonly #child: ChildProcess;
  readonly #ttyFile: string;
  readonly ended: Promise<number | null>;
  screen = '';

  constructor(folder: string, command: string, options: { readonly env?: NodeJS.ProcessEnv } = {}) {
    this.#ttyFile = join(folder, `tty-${process.pid}-${performance.now()}`);
    const script = `stty rows 30 cols 90; tty > ${this.#ttyFile}; ${command}`;
    this.#child = spawn('script', ['-qec', script, '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // script(1) takes the user's shell, which might read its own settings.
      env: { ...(options.env ?? process.env), SHELL: '/bin/sh' },
    });
    this.#child.stdin!.on('error', () => {});
    this.#child.stdout!.on('data', (data) => {
      this.screen += String(data);
    });
    this.ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  type(text: string): void {
    this.#child.stdin!.write(text);
  }

  /** Waits until the screen has shown it. */
  async shows(text: string | RegExp): Promise<void> {
    await vi.waitFor(() => expect(this.screen).toMatch(text), { timeout: PATIENCE_MS, interval: 5 });
  }

  /** The same, with Enter pressed again and again: a shell runs its traps between the lines that it reads. */
  async answers(text: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!this.screen.includes(text) && Date.now() < deadline) {
      this.type('\r');
      await delay(50);
    }
    expect(this.screen).toContain(text);
  }

  resize(rows: number, columns: number): void {
    execFileSync('stty', ['-F', this.#tty, 'rows', `${rows}`, 'cols', `${columns}`]);
  }

  /** As `stty -a` prints them. */
  settings(): string {
    return execFileSync('stty', ['-a', '-F', this.#tty], { encoding: 'utf8' });
  }

  get #tty(): string {
    return readFileSync(this.#ttyFile, 'utf8').trim();
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

/** A command line for `sh` of words that hold no single quote. */
export function shellWords(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(' ');
}
