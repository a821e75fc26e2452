import { describe, expect, test } from 'vitest';
import { canonicalArgv, type FlagShape, HelpAsked, VALUE_MARK } from '../../src/cli/argv/docker-args.ts';

const FLAGS: readonly FlagShape[] = [
  { name: 'detach', char: 'd', type: 'boolean' },
  { name: 'interactive', char: 'i', type: 'boolean' },
  { name: 'tty', char: 't', type: 'boolean' },
  { name: 'rm', type: 'boolean' },
  { name: 'env', char: 'e', type: 'option', multiple: true },
  { name: 'publish', char: 'p', type: 'option', multiple: true },
  { name: 'name', type: 'option' },
  { name: 'hostname', char: 'h', type: 'option' },
  { name: 'entrypoint', type: 'option' },
  { name: 'network', type: 'option', aliases: ['net'] },
  { name: 'pull', type: 'option', options: ['always', 'never'] },
];

const run = (line: string) => canonicalArgv(line.split(' '), FLAGS, { interspersed: false });

// Each row: what is typed behind `run`, the flags as oclif gets them, the arguments.
const CASES: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['-dit busybox', ['--detach', '--interactive', '--tty'], ['busybox']],
  ['-it --rm node', ['--interactive', '--tty', '--rm'], ['node']],
  ['--rm=false x', [], ['x']],
  ['--rm --rm=false x', [], ['x']],
  ['--rm=false --rm x', ['--rm'], ['x']],
  ['--rm=1 x', ['--rm'], ['x']],
  ['-d=false -t=true x', ['--tty'], ['x']],
  ['-e A -e B=c x', ['--env', 'A', '--env', 'B=c'], ['x']],
  ['-eA=b x', ['--env', 'A=b'], ['x']],
  ['-ite A=b x', ['--interactive', '--tty', '--env', 'A=b'], ['x']],
  ['-iteA=b x', ['--interactive', '--tty', '--env', 'A=b'], ['x']],
  ['-p 80:80 image args --help', ['--publish', '80:80'], ['image', 'args', '--help']],
  ['-p=80:80 image', ['--publish', '80:80'], ['image']],
  ['--publish=80:80 --publish 81:81 image', ['--publish', '80:80', '--publish', '81:81'], ['image']],
  ['--name a --name b image', ['--name', 'b'], ['image']],
  ['--name= image', ['--name', ''], ['image']],
  ['--net host image', ['--network', 'host'], ['image']],
  ['-h box image', ['--hostname', 'box'], ['image']],
  ['busybox ls -l /', [], ['busybox', 'ls', '-l', '/']],
  ['-- image -x', [], ['image', '-x']],
  ['image -- -x', [], ['image', '--', '-x']],
  ['--entrypoint --rm image', ['--entrypoint', `${VALUE_MARK}--rm`], ['image']],
  ['--entrypoint=-x image', ['--entrypoint', `${VALUE_MARK}-x`], ['image']],
  ['- image', [], ['-', 'image']],
];

describe('Docker command lines, as oclif reads them', () => {
  test.each(CASES)('%s', (line, flags, args) => {
    expect(run(line)).toEqual([...flags, '--', ...args]);
  });

  test('flags may follow arguments where they are interspersed', () => {
    expect(canonicalArgv(['a', '--rm', 'b'], FLAGS, { interspersed: true })).toEqual([
      '--rm',
      '--',
      'a',
      'b',
    ]);
  });

  test.each([
    ['--foo x', 'unknown flag: --foo'],
    ['-iz x', "unknown shorthand flag: 'z' in -iz"],
    ['--name', 'flag needs an argument: --name'],
    ['-e', "flag needs an argument: 'e' in -e"],
    ['--rm=maybe x', 'invalid argument "maybe" for "--rm" flag: it is true or false'],
    ['--pull=maybe x', 'invalid argument "maybe" for "--pull" flag: it is one of always, never'],
    ['--pull -x x', 'invalid argument "-x" for "--pull" flag: it is one of always, never'],
  ])('%s is refused', (line, message) => {
    expect(() => run(line)).toThrow(expect.objectContaining({ code: 'usage', message }));
  });

  test('a flag that counts once for now is refused a second time', () => {
    const flags = [...FLAGS, { name: 'net', type: 'option', onlyOnce: 'one for now' } as const];
    expect(canonicalArgv(['--net', 'a', 'x'], flags, { interspersed: false })).toContain('--net');
    expect(() => canonicalArgv(['--net=a', '--net', 'b', 'x'], flags, { interspersed: false })).toThrow(
      expect.objectContaining({ code: 'unsupported', message: '--net b: one for now' }),
    );
  });

  test('a flag that does nothing any more is taken, whatever it says, and that is told each time', () => {
    const flags = [...FLAGS, { name: 'old', type: 'boolean', retired: 'use the new one' } as const];
    const told: string[] = [];
    const onRetired = (line: string) => void told.push(line);
    const argv = ['--old', '--old=false', '--rm', 'x'];
    expect(canonicalArgv(argv, flags, { interspersed: false, onRetired })).toEqual(['--rm', '--', 'x']);
    expect(told).toEqual(Array(2).fill('Flag --old has been deprecated, use the new one'));
  });

  test.each(['--help', '--rm --help x', '-d --help', '-dh'])('%s asks for help', (line) => {
    const flags = FLAGS.filter(({ name }) => name !== 'hostname');
    expect(() => canonicalArgv(line.split(' '), flags, { interspersed: false })).toThrow(HelpAsked);
  });
});
