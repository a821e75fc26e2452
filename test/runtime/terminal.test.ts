import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createConmonSupervisor } from '../../src/runtime/conmon/conmon-supervisor.ts';
import type { StartRequest } from '../../src/runtime/supervisor.ts';
import { type ContainerHost, containerHost } from '../support/container/container-host.ts';
import { shellWords, TerminalSession } from '../support/container/terminal-session.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';

const SUPPORT = join(import.meta.dirname, '../support/container');
const TERMINAL = { stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' } as const;

/** A signal makes busybox's `read` fail, and its trap runs after that. */
const LOOP = `trap 'echo now $(stty size)' WINCH; trap 'echo interrupted' INT; stty size
while :; do read line && echo "got $line"; [ "$line" != q ] || exit 9; done`;

function session(
  host: ContainerHost,
  program: string,
  request: object,
  ...more: readonly string[]
): TerminalSession {
  const file = join(host.folder, 'request.json');
  writeFileSync(file, JSON.stringify(request));
  const opened = onTerminal(host, [join(SUPPORT, program), file, host.paths.run, ...more]);
  onTestFinished(() => opened[Symbol.dispose]());
  return opened;
}

/** A node program of ours on a terminal. */
function onTerminal(host: ContainerHost, args: readonly string[]): TerminalSession {
  return new TerminalSession(host.folder, `exec ${shellWords([process.execPath, ...args])}`);
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
    const terminal = onTerminal(host, [wrapper]);
    onTestFinished(() => terminal[Symbol.dispose]());
    await vi.waitFor(() => expect(terminal.settings()).toMatch(/-icanon/), PATIENCE_MS);
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
