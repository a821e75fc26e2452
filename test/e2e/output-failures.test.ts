import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { CommandLine } from '../support/program/command-line.ts';

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

/** Runs a command whose standard output, or error, is a file. */
async function into(path: string, args: readonly string[], descriptor: 1 | 2 = 1) {
  const file = openSync(path, 'a');
  const [program, ...words] = ocits.command(args);
  const stdio = descriptor === 1 ? (['ignore', file, 'pipe'] as const) : (['ignore', 'pipe', file] as const);
  const child = spawn(program!, words, { cwd: ocits.folder, env: ocits.env, stdio: [...stdio] });
  closeSync(file);
  const [code, said] = await Promise.all([
    new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1))),
    text((descriptor === 1 ? child.stderr : child.stdout)!),
  ]);
  return { code, said };
}

const FULL = 'ocits: cannot write to standard output: no space left on device\n';

test.each([
  [['version']],
  [['--version']],
  [['images']],
  [['info', '--format', 'json']],
  [['--help']],
  [['run', '--help']],
  [['__complete', 'im']],
  [['inspect', 'busybox']],
  [['save', 'busybox']],
  [['completion', 'bash']],
])('%j says once that the device is full', async (args) => {
  expect(await into('/dev/full', args)).toEqual({ code: 1, said: FULL });
});

test('nothing that cannot be said ends a command', async () => {
  expect(await into('/dev/full', ['images', '-q'], 2)).toMatchObject({ code: 0 });
  expect(await into('/dev/full', ['inspect', 'nosuch'], 2)).toMatchObject({ code: 1 });
});

test('a file that takes only a part is told, and has that part', async () => {
  const folder = join(ocits.folder, 'small');
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', folder]);
  onTestFinished(() => void execFileSync('umount', [folder]));
  // One page, of which the rest is left.
  const file = join(folder, 'out');
  writeFileSync(file, '-'.repeat(4000));
  const whole = await ocits.ok('run', '--help');
  expect(await into(file, ['run', '--help'])).toEqual({ code: 1, said: FULL });
  expect(readFileSync(file, 'utf8').slice(4000)).toBe(whole.slice(0, 96));
});

test.each([[['--rm']], [[]], [['-t']]])('run %j whose output has no place', async (flags) => {
  const script = 'echo one; sleep 0.3; echo two; exit 3';
  const run = ['run', ...flags, '--name', 'full', '--network', 'none', 'busybox', 'sh', '-c', script];
  const { code, said } = await into('/dev/full', run);
  expect(code).toBe(125);
  // With --rm the container itself meets the end of its output, and may say so.
  expect(said).toMatch(/(?:^|\n)ocits: .*(?:our stdout|standard output): no space left on device\n$/i);
  if (flags[0] === '--rm') return expect(await ocits.ok('ps', '-aq')).toBe('');
  // Its end is known, and its log has what it printed.
  expect(await ocits.ok('ps', '-a', '--format', '{{.Names}} {{.Status}}')).toMatch(/^full Exited \(3\) /);
  expect((await ocits.ok('logs', 'full')).replaceAll('\r', '')).toBe('one\ntwo\n');
  expect(await into('/dev/full', ['logs', 'full'])).toEqual({ code: 1, said: FULL });
});

test('run -d whose ID has no place is an error, and the container runs', async () => {
  const run = ['run', '-d', '--name', 'back', '--network', 'none', 'busybox', 'sleep', '1000'];
  expect(await into('/dev/full', run)).toEqual({ code: 125, said: FULL });
  expect(await ocits.ok('ps', '--format', '{{.Names}}')).toBe('back\n');
});

test('a reader that has gone ends logs without a word, and no container', async () => {
  const many =
    'i=0; while [ $i -lt 20000 ]; do echo a line of a container that prints much $i; i=$((i+1)); done; exit 4';
  const run = ['run', '--name', 'much', '--network', 'none', 'busybox', 'sh', '-c', many];
  const head = async (args: readonly string[]) => {
    const script = '"$@" | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}';
    const child = spawn('bash', ['-c', script, 'bash', ...ocits.command(args)], {
      env: ocits.env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const code = new Promise<number>((resolve) => child.once('close', (status) => resolve(status ?? -1)));
    return { said: await text(child.stderr), code: await code };
  };
  expect(await head(run)).toEqual({ code: 4, said: '' });
  expect(await head(['logs', 'much'])).toEqual({ code: 141, said: '' });
  expect(await head(['logs', '-f', 'much'])).toEqual({ code: 141, said: '' });
});
