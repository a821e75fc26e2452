import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { CommandLine } from '../support/program/command-line.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';
import { processesOf } from '../support/program/processes.ts';

let ocits: CommandLine;
beforeAll(async () => {
  ocits = await CommandLine.open(['busybox']);
  await ocits.ok('pull', '-q', 'busybox');
});
afterAll(() => ocits[Symbol.asyncDispose]());

afterEach(async () => {
  const left = (await ocits.ok('ps', '-aq')).split('\n').filter(Boolean);
  if (left.length > 0) await ocits.ok('rm', '-f', ...left);
});

const QUIET = ['--network', 'none'];
const detached = async (flags: readonly string[], ...command: string[]) =>
  (await ocits.ok('run', '-d', ...QUIET, ...flags, 'busybox', ...command)).trim();
const shell = (flags: readonly string[], script: string) => detached(flags, 'sh', '-c', script);
const LISTENING = 'trap "echo stopped; exit 3" TERM; echo started; while :; do sleep 0.05; done';

/** Keeps all processors busy until the test has ended. */
function underLoad(processes: number): void {
  const busy = Array.from({ length: processes }, () =>
    spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }),
  );
  onTestFinished(() => {
    for (const child of busy) child.kill('SIGKILL');
  });
}

describe('run -d', () => {
  test('ends at once, while its container goes on, under load as well', async () => {
    underLoad(6);
    for (const flags of [[], ['-i'], ['-t'], ['-it'], ['--rm']]) {
      // Its container outlasts the patience of the call.
      const { code, stdout } = await ocits.run(['run', '-d', ...QUIET, ...flags, 'busybox', 'sleep', '300']);
      expect({ flags, code, stdout }).toEqual({
        flags,
        code: 0,
        stdout: expect.stringMatching(/^[0-9a-f]{64}\n$/),
      });
    }
    expect((await ocits.ok('ps', '-q')).trim().split('\n')).toHaveLength(5);
  });

  test('leaves no process of ours, and nothing holds its output open', async () => {
    const [program, ...words] = ocits.command(['run', '-d', ...QUIET, 'busybox', 'sleep', '300']);
    const child = spawn(program!, words, { env: ocits.env, stdio: ['ignore', 'pipe', 'pipe'] });
    // Ends only when whoever has the other ends has closed them.
    const [out, problems] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect([out.trim().length, problems]).toEqual([64, '']);
    const programs = (name: string) =>
      processesOf(ocits.folder).filter(({ line }) => line.split(' ')[0]!.endsWith(name));
    expect(programs('node')).toEqual([]);
    // One that has forked ends a moment after the one that it leaves behind has begun.
    await vi.waitFor(() => expect(programs('conmon')).toHaveLength(1), { timeout: PATIENCE_MS });
  });

  test('a failed start is told, and the container stays to be looked at', async () => {
    const { code, stdout } = await ocits.run(['run', '-d', ...QUIET, '--name', 'bad', 'busybox', 'nosuch']);
    expect({ code, stdout }).toEqual({ code: 127, stdout: '' });
    expect(await ocits.ok('ps', '-a', '--format', '{{.Names}} {{.State}}')).toBe('bad created\n');
  });
});

/** Lets a container go on that waits for this file. It may end before the command does, and the command with it. */
async function release(name: string): Promise<void> {
  await ocits.run(['exec', name, 'touch', '/go']);
}

describe('logs', () => {
  test('-f shows lines as they come, and ends with the container', async () => {
    await shell(
      ['--name', 'talker'],
      'echo one; until test -e /go; do sleep 0.02; done; echo two >&2; exit 5',
    );
    const child = ocits.start(['logs', '-f', 'talker']);
    const closed = once(child, 'close');
    const problems = text(child.stderr!);
    expect(String((await once(child.stdout!, 'data'))[0])).toBe('one\n');
    await release('talker');
    expect([(await closed)[0], await problems]).toEqual([0, 'two\n']);
  });

  test('-f of a container that has ended, or is stopped meanwhile, ends', async () => {
    await shell(['--name', 'short'], 'echo done');
    await ocits.ok('wait', 'short');
    expect(await ocits.ok('logs', '-f', 'short')).toBe('done\n');
    await shell(['--name', 'long'], LISTENING);
    const following = ocits.ok('logs', '-f', 'long');
    await ocits.ok('stop', 'long');
    expect(await following).toBe('started\nstopped\n');
  });

  test('-f of one that is removed with its end shows all of it', async () => {
    await shell(['--name', 'gone', '--rm'], 'until test -e /go; do sleep 0.02; done; seq 1000');
    const following = ocits.ok('logs', '-f', 'gone');
    await release('gone');
    expect((await following).split('\n')).toHaveLength(1001);
  });

  test('--tail gives the last lines', async () => {
    await shell(['--name', 'lines'], 'seq 100; printf "no end"');
    await ocits.ok('wait', 'lines');
    expect(await ocits.ok('logs', '--tail', '3', 'lines')).toBe('99\n100\nno end');
    expect(await ocits.ok('logs', '-n', '0', 'lines')).toBe('');
    expect((await ocits.ok('logs', '--tail', 'all', 'lines')).split('\n')).toHaveLength(101);
  });

  test('Ctrl-C ends logs -f, and not the container', async () => {
    await shell(['--name', 'on'], LISTENING);
    const child = ocits.start(['logs', '-f', 'on']);
    const closed = once(child, 'close');
    await once(child.stdout!, 'data');
    child.kill('SIGINT');
    await closed;
    expect(await ocits.ok('ps', '--format', '{{.Names}}')).toBe('on\n');
  });
});

describe('create, start, stop, restart, wait, kill', () => {
  test('lead from one state to the next', async () => {
    await ocits.ok('create', '--name', 'life', ...QUIET, 'busybox', 'sh', '-c', LISTENING);
    const state = async () =>
      (await ocits.ok('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'life')).trim();
    expect(await state()).toBe('created 0');
    expect(await ocits.ok('start', 'life')).toBe('life\n');
    expect(await state()).toBe('running 0');
    const waiting = ocits.ok('wait', 'life');
    await started('life', 1);
    expect(await ocits.ok('stop', 'life')).toBe('life\n');
    expect(await waiting).toBe('3\n');
    expect(await state()).toBe('exited 3');
    expect(await ocits.ok('restart', '-t', '5', 'life')).toBe('life\n');
    await started('life', 2);
    expect(await ocits.ok('restart', '-t', '5', 'life')).toBe('life\n');
    await started('life', 3);
    expect(await ocits.ok('kill', 'life')).toBe('life\n');
    expect(await ocits.ok('wait', 'life')).toBe('137\n');
    expect(await ocits.ok('logs', 'life')).toBe('started\nstopped\nstarted\nstopped\nstarted\n');
    expect(await ocits.ok('rm', 'life')).toBe('life\n');
  });

  test('take several containers at once', async () => {
    await Promise.all(['one', 'two', 'three'].map((name) => detached(['--name', name], 'sleep', '300')));
    expect(await ocits.ok('stop', '-t', '0', 'one', 'two')).toBe('one\ntwo\n');
    expect(await ocits.ok('wait', 'one', 'two')).toBe('137\n137\n');
    expect(await ocits.ok('ps', '--format', '{{.Names}}')).toBe('three\n');
    expect(await ocits.ok('ps', '-aq', '-f', 'status=exited', '-f', 'name=o')).toMatch(
      /^(?:[0-9a-f]{12}\n){2}$/,
    );
    expect(await ocits.ok('rm', '-f', 'one', 'two', 'three')).toBe('one\ntwo\nthree\n');
  });

  test('one that goes by itself is gone when stop returns, and its name is free', async () => {
    for (let round = 0; round < 3; round++) {
      await detached(['--rm', '--name', 'again'], 'sleep', '300');
      expect(await ocits.ok('stop', '-t', '0', 'again')).toBe('again\n');
      expect(await ocits.ok('ps', '-aq')).toBe('');
    }
  });
});

/** Waits until a container's log has said so many times that it has started. */
async function started(name: string, times: number): Promise<void> {
  await vi.waitFor(async () => expect((await ocits.ok('logs', name)).match(/started/g)).toHaveLength(times), {
    timeout: PATIENCE_MS,
    interval: 50,
  });
}

describe('exec', () => {
  test('-d leaves a process in the container, that ends with it', async () => {
    await detached(['--name', 'host'], 'sleep', '300');
    const { code } = await ocits.run(['exec', '-d', 'host', 'sleep', '297']);
    expect(code).toBe(0);
    const top = await ocits.ok('top', 'host', '-o', 'pid,args');
    for (const line of [/^ *\d+ sleep 300$/m, /^ *\d+ sleep 297$/m]) expect(top).toMatch(line);
    await ocits.ok('rm', '-f', 'host');
  });

  test('-i reads from a pipe, and has the environment, the user and the folder asked for', async () => {
    await detached(['--name', 'host', '-e', 'A=1'], 'sleep', '300');
    const flags = ['-i', '-e', 'B=2', '-u', '7:8', '-w', '/tmp'];
    const script = 'cat; echo $A $B; id -u; id -g; pwd; exit 6';
    const result = await ocits.run(['exec', ...flags, 'host', 'sh', '-c', script], { input: 'typed\n' });
    expect(result).toEqual({ code: 6, stdout: 'typed\n1 2\n7\n8\n/tmp\n', stderr: '' });
  });

  test('-t has a terminal where there is none, as in CI', async () => {
    await detached(['--name', 'host'], 'sleep', '300');
    const result = await ocits.run(['exec', '-t', 'host', 'sh', '-c', 'test -t 1 && echo tty; exit 4']);
    expect(result).toEqual({ code: 4, stdout: 'tty\r\n', stderr: '' });
  });

  test('in a folder that is not there is 126, as with Docker', async () => {
    await detached(['--name', 'host'], 'sleep', '300');
    expect(await ocits.run(['exec', '-w', '/nowhere', 'host', 'pwd'])).toMatchObject({
      code: 126,
      stdout: '',
    });
  });
});

describe('a container in the foreground of another command', () => {
  /** Started, and its first line was seen. */
  async function foreground(...flags: string[]): Promise<{ child: ChildProcess; code: Promise<number> }> {
    const child = ocits.start(['run', ...QUIET, ...flags, 'busybox', 'sh', '-c', LISTENING]);
    const code = once(child, 'close').then(([status]) => status as number);
    await once(child.stdout!, 'data');
    return { child, code };
  }

  test('is seen, inspected, and stopped from here', async () => {
    const { code } = await foreground('--rm', '--name', 'front');
    expect(await ocits.ok('ps', '--format', '{{.Names}} {{.State}}')).toBe('front running\n');
    expect(await ocits.ok('inspect', '-f', '{{.State.Running}}', 'front')).toBe('true\n');
    expect(await ocits.ok('exec', 'front', 'echo', 'hello')).toBe('hello\n');
    const { stderr } = await ocits.run(['logs', 'front']);
    expect(stderr).toContain('keeps no log');
    expect(await ocits.ok('stop', 'front')).toBe('front\n');
    expect(await code).toBe(3);
    expect(await ocits.ok('ps', '-aq')).toBe('');
  });

  test('has a log where it was run without --rm, also after its end', async () => {
    const { code } = await foreground('--name', 'front');
    expect(await ocits.ok('logs', 'front')).toBe('started\n');
    expect(await ocits.ok('stop', 'front')).toBe('front\n');
    expect(await code).toBe(3);
    expect(await ocits.ok('logs', 'front')).toBe('started\nstopped\n');
    expect(await ocits.ok('start', 'front')).toBe('front\n');
    expect(await ocits.ok('ps', '--format', '{{.Names}}')).toBe('front\n');
  });

  test('is removed by force', async () => {
    const { code } = await foreground('--name', 'front');
    expect((await ocits.run(['rm', 'front'])).stderr).toContain('is running');
    expect(await ocits.ok('rm', '-f', 'front')).toBe('front\n');
    expect(await code).toBe(137);
    expect(await ocits.ok('ps', '-aq')).toBe('');
  });
});

test('a published port is told by port, ps and inspect, and answers', async () => {
  const script = 'mkdir /w; echo page > /w/index.html; exec httpd -f -p 80 -h /w';
  await ocits.ok('run', '-d', '--name', 'web', '-p', '127.0.0.1:0:80', 'busybox', 'sh', '-c', script);
  const address = (await ocits.ok('port', 'web', '80/tcp')).trim();
  expect(await ocits.ok('ps', '--format', '{{.Ports}}')).toBe(`${address}->80/tcp\n`);
  expect(await ocits.ok('inspect', '-f', '{{json .Config.ExposedPorts}}', 'web')).toBe('{"80/tcp":{}}\n');
  const format = '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}';
  expect(await ocits.ok('inspect', '-f', format, 'web')).toBe(`${address.split(':')[1]}\n`);
  const page = await vi.waitFor(async () => await (await fetch(`http://${address}/`)).text(), {
    timeout: PATIENCE_MS,
  });
  expect(page).toBe('page\n');
  await ocits.ok('stop', '-t', '0', 'web');
  expect(await ocits.ok('port', 'web')).toBe('');
  await expect(fetch(`http://${address}/`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
});
