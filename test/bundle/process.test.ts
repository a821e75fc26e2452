import { expect, test } from 'vitest';
import type { ProcessSpec } from '../../src/bundle/container-spec.ts';
import { containerEnvironment, DEFAULT_PATH, resolveArgs } from '../../src/bundle/process-args.ts';
import { checkProcess } from '../../src/bundle/process-bounds.ts';
import { containerSpec } from '../support/container/container-spec.ts';

const image = { imageEntrypoint: ['entry', 'point'], imageCommand: ['cmd'] };

test.each([
  ['the image alone', image, ['entry', 'point', 'cmd']],
  ['a command', { ...image, command: ['a', 'b'] }, ['entry', 'point', 'a', 'b']],
  ['an empty command', { ...image, command: [] }, ['entry', 'point', 'cmd']],
  ['an entrypoint', { ...image, entrypoint: ['x'] }, ['x']],
  ['an entrypoint and a command', { ...image, entrypoint: ['x'], command: ['y'] }, ['x', 'y']],
  ['the entrypoint cleared', { ...image, entrypoint: [], command: ['y'] }, ['y']],
  ['the entrypoint cleared and no command', { ...image, entrypoint: [] }, []],
  ['an image without either', { imageEntrypoint: null, imageCommand: null }, []],
])('%s', (_name, sources, args) => {
  expect(resolveArgs(sources)).toEqual(args);
});

test('the environment has its defaults, the image over them, and the user over both', () => {
  const env = containerEnvironment({
    image: ['A=1', 'B=2', 'PATH=/image', 'broken', '=x', 'C=a=b'],
    user: ['B=3', 'C', 'D=', 'HOME=/mine'],
    home: '/root',
    hostname: 'web',
    terminal: true,
  });
  expect(env).toEqual(['PATH=/image', 'HOSTNAME=web', 'TERM=xterm', 'A=1', 'B=3', 'D=', 'HOME=/mine']);
  expect(containerEnvironment({ home: '/home/me', terminal: false })).toEqual([
    `PATH=${DEFAULT_PATH}`,
    'HOME=/home/me',
  ]);
});

test.each<[string, Partial<ProcessSpec>, string]>([
  ['no command', { args: [] }, 'no command is given'],
  ['an empty command', { args: [''] }, 'no command is given'],
  ['a NUL', { args: ['a\0b'] }, 'NUL'],
  ['a variable with a NUL', { env: ['A=\0'] }, 'NUL'],
  ['a variable without a name', { env: ['=x'] }, 'NAME=value'],
  ['a long string', { args: ['sh', 'x'.repeat(131_072)] }, 'longer than 131071 bytes'],
  [
    'many strings',
    { env: Array.from({ length: 40 }, (_, index) => `V${index}=${'x'.repeat(60_000)}`) },
    '2 MiB',
  ],
  ['a user of 2^31', { uid: 2 ** 31 }, '2147483648'],
  ['a group of 2^32', { gid: 2 ** 32 }, '4294967296'],
  ['half a group', { additionalGids: [0.5] }, '0.5'],
  ['a relative folder', { cwd: 'tmp' }, 'not absolute'],
  ['a descriptor as folder', { cwd: '/proc/self/fd/7' }, 'below /proc'],
  ['a descriptor by a detour', { cwd: '/tmp/..//proc/./self/fd/8/../../../etc' }, 'below /proc'],
])('%s is refused', (_name, changes, message) => {
  expect(() => checkProcess({ ...containerSpec().process, ...changes })).toThrow(message);
});

test('a process at the bounds passes', () => {
  const longest = 'x'.repeat(131_071);
  const atBounds = { args: ['sh', longest], uid: 2 ** 31 - 1, cwd: '/processes' };
  expect(() => checkProcess({ ...containerSpec().process, ...atBounds })).not.toThrow();
});
