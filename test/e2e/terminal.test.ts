import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { shellWords, TerminalSession } from '../support/container/terminal-session.ts';
import { CommandLine } from '../support/program/command-line.ts';

let ocits: CommandLine;
beforeAll(async () => {
  ocits = await CommandLine.open(['busybox']);
  await ocits.ok('pull', '-q', 'busybox');
});
afterAll(() => ocits[Symbol.asyncDispose]());

/** A signal makes busybox's `read` fail, and its trap runs after that. */
const LOOP = `trap "echo now \\$(stty size)" WINCH; trap "echo interrupted" INT; stty size; test -t 2 && echo tty
while :; do read line && echo "got $line"; [ "$line" != q ] || exit 9; done`;

/**
 * Types `ocits ARGS` at a shell's prompt. When it has ended, the screen shows its exit code, and whether the terminal
 * is as it was.
 */
function typed(...args: readonly string[]): TerminalSession {
  const [before, after] = ['before', 'after'].map((name) => join(ocits.folder, `stty-${name}`));
  const session = new TerminalSession(
    ocits.folder,
    `trap : INT; stty -g > ${before}; ${shellWords(ocits.command(args))}; echo "code $?"; stty -g > ${after}
     cmp ${before} ${after} && echo restored; read line`,
    { env: ocits.env },
  );
  onTestFinished(() => session[Symbol.dispose]());
  return session;
}

async function endsWith(session: TerminalSession, code: number): Promise<void> {
  await session.shows(`code ${code}\r\nrestored\r\n`);
  session.type('\r');
  await session.ended;
}

describe('run -it', () => {
  const loop = (...flags: string[]) =>
    typed('run', '-it', '--network', 'none', ...flags, 'busybox', 'sh', '-c', LOOP);

  test.each([
    ['removed at its end', ['--rm']],
    ['that stays', ['--name', 'stays']],
  ])('a container %s has our size and follows it, and takes Ctrl-C itself', async (_what, flags) => {
    const session = loop(...flags);
    await session.shows('30 90\r\ntty');
    session.type('hello\r');
    await session.shows('got hello');
    session.resize(41, 121);
    await session.answers('now 41 121');
    session.type('\u0003');
    await session.answers('interrupted');
    expect(session.settings()).toMatch(/-icanon/);
    session.type('q\r');
    await endsWith(session, 9);
    expect(session.screen).not.toContain('\r\r');
  });

  test('what was on the terminal is in the log', async () => {
    const last = await ocits.ok('logs', '--tail', '1', 'stays');
    await ocits.ok('rm', 'stays');
    expect(last).toBe('got q\r\n');
  });

  test('the terminal is as before when somebody else has stopped the container', async () => {
    const session = loop('--rm', '--name', 'ended');
    await session.shows('30 90');
    expect(await ocits.ok('ps', '--format', '{{.Names}}')).toBe('ended\n');
    expect(await ocits.ok('stop', '-t', '0', 'ended')).toBe('ended\n');
    await endsWith(session, 137);
    expect(await ocits.ok('ps', '-aq')).toBe('');
  });

  test('a command that is not there is told on the terminal, and its code is 127', async () => {
    const session = typed('run', '-it', '--rm', '--network', 'none', 'busybox', 'nosuch');
    await session.shows('the command "nosuch" was not found');
    await endsWith(session, 127);
  });
});

test('Ctrl-C before the container runs ends the command, and nothing is left', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void silent.close());
  const asked = new Promise((resolve) => silent.once('connection', resolve));
  const { port } = silent.address() as AddressInfo;
  const session = typed('run', '-it', '--rm', `127.0.0.1:${port}/a/b`);
  await asked;
  session.type('\u0003');
  await endsWith(session, 130);
  expect(await ocits.ok('ps', '-aq')).toBe('');
});

describe('exec -it', () => {
  beforeAll(async () => {
    await ocits.ok('run', '-d', '--name', 'box', '--network', 'none', 'busybox', 'sleep', '3000');
  });
  afterAll(() => ocits.ok('rm', '-f', 'box'));

  test('has our size and follows it, takes Ctrl-C itself, and ends with the code', async () => {
    const session = typed('exec', '-it', 'box', 'sh', '-c', LOOP);
    await session.shows('30 90\r\ntty');
    session.type('hello\r');
    await session.shows('got hello');
    session.resize(42, 122);
    await session.answers('now 42 122');
    session.type('\u0003');
    await session.answers('interrupted');
    session.type('q\r');
    await endsWith(session, 9);
  });

  test('a shell has a prompt, and job control', async () => {
    const session = typed('exec', '-it', 'box', 'sh');
    await session.shows('/ # ');
    session.type('echo begun; sleep 100\r');
    await session.shows('\nbegun');
    session.type('\u0003');
    session.type('echo was $?\r');
    await session.shows('was 130');
    session.type('\u0004');
    await endsWith(session, 0);
  });

  test('Ctrl-C ends a command that does not catch it', async () => {
    const session = typed('exec', '-it', 'box', 'cat');
    session.type('hello\r');
    await session.shows('hello\r\nhello');
    session.type('\u0003');
    await endsWith(session, 130);
  });

  test('the terminal is as before when the container is stopped meanwhile', async () => {
    const session = typed('exec', '-it', 'box', 'sh', '-c', LOOP);
    await session.shows('30 90');
    await ocits.ok('restart', '-t', '0', 'box');
    await endsWith(session, 137);
  });
});

describe('without a terminal of ours', () => {
  test('-t gives the container one, and its log has what was on it', async () => {
    const script = 'test -t 0 && test -t 1 && test -t 2 && echo tty; exit 4';
    const flags = ['-t', '--network', 'none', '--name', 'ci'];
    expect(await ocits.run(['run', ...flags, 'busybox', 'sh', '-c', script])).toEqual({
      code: 4,
      stdout: 'tty\r\n',
      stderr: '',
    });
    const log = await ocits.ok('logs', 'ci');
    await ocits.ok('rm', 'ci');
    expect(log).toBe('tty\r\n');
  });

  test('-it is an error, as it is with Docker', async () => {
    const { code, stderr } = await ocits.run(['run', '-it', '--rm', 'busybox', 'sh']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('not a TTY\nhint: ') });
  });

  test('keys to detach are an error, not silence', async () => {
    for (const args of [
      ['run', '-d', '--detach-keys', 'ctrl-q', 'busybox'],
      ['exec', '--detach-keys', 'ctrl-q', 'box', 'sh'],
    ]) {
      const { code, stderr } = await ocits.run(args);
      expect(stderr).toMatch(/^ocits: --detach-keys.* is not there yet\n/);
      expect(code).not.toBe(0);
    }
  });
});
