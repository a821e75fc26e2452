import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandLine, type Finished } from '../support/program/command-line.ts';

const FAIL_WITH = join(import.meta.dirname, '../support/program/fail-with.mjs');
let ocits: CommandLine;
let context: string;
let archive: string;

beforeAll(async () => {
  ocits = await CommandLine.open(['busybox']);
  await ocits.ok('pull', '-q', 'busybox');
  await ocits.ok('create', '--name', 'made', '--network', 'none', '-v', '/data', 'busybox', 'true');
  await ocits.ok('run', '--name', 'ended', '--network', 'none', 'busybox', 'echo', 'hello');
  await ocits.ok('volume', 'create', 'kept');
  context = ocits.context({ Dockerfile: 'FROM busybox\nCOPY Dockerfile /\nRUN true\n' });
  archive = join(ocits.folder, 'saved.tar');
  await ocits.ok('save', '-o', archive, 'busybox');
});

afterAll(async () => await ocits[Symbol.asyncDispose]());

/** One of each command; the later ones remove things. */
const commands = (): readonly string[][] => [
  ...['images', 'ps -a', 'system df', 'system info', 'volume ls', 'network ls'].map((line) =>
    line.split(' '),
  ),
  ...[
    'history busybox',
    'inspect busybox',
    'inspect made',
    'logs ended',
    'wait ended',
    'port made',
    'system fsck',
  ].map((line) => line.split(' ')),
  ['run', '--rm', '--network', 'none', 'busybox', 'true'],
  ['create', '--network', 'none', 'busybox'],
  ['start', 'made'],
  ['exec', 'made', 'true'],
  ['build', '--network', 'none', '--no-cache', '-t', 'new', context],
  ['pull', 'busybox'],
  ['push', `${ocits.registry.host}/a/b`],
  ['tag', 'busybox', 'other'],
  ['save', '-o', join(ocits.folder, 'root/out.tar'), 'busybox'],
  ['load', '-i', archive],
  ['import', archive, 'imported'],
  ['export', '-o', join(ocits.folder, 'root/e.tar'), 'ended'],
  ['volume', 'create', 'fresh'],
  ['volume', 'rm', 'kept'],
  ['rm', 'made'],
  ['rm', '-f', 'ended'],
  ['rmi', '-f', 'busybox'],
  ['container', 'prune', '-f'],
  ['image', 'prune', '-af'],
  ['builder', 'prune', '-af'],
  ['system', 'prune', '-af', '--volumes'],
];

const WORDS: Readonly<Record<string, RegExp>> = {
  EACCES: /permission denied/,
  EDQUOT: /the disk quota is used up/,
  EIO: /the disk reports an error/,
  ELOOP: /too many symbolic links/,
  EMFILE: /this process has too many open files/,
  ENFILE: /the host has too many open files/,
  ENOSPC: /no space left on device/,
  ENOTDIR: /a part of the path is not a folder/,
  EROFS: /read-only file system/,
  ETXTBSY: /text file busy/,
};

/** What no user can do anything with. */
const NOBODYS_WORDS =
  /a fault in ocits|Cannot read properties|suppressed|refused by the test|is not a function|undefined/;

function expectPlainWords({ code, stderr }: Pick<Finished, 'code' | 'stderr'>, context: unknown): void {
  expect({ context, stderr }).toEqual({ context, stderr: expect.not.stringMatching(NOBODYS_WORDS) });
  if (code !== 0)
    expect({ context, stderr }).toEqual({ context, stderr: expect.stringMatching(/^ocits: /m) });
}

describe.each(Object.keys(WORDS))('a store of which the system says %s', (errno) => {
  test.each(['changes', 'reads'])('(%s): each command names that cause', (mode) => {
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [FAIL_WITH, errno, join(ocits.folder, 'root'), mode],
      { env: { ...ocits.env }, input: JSON.stringify(commands()), encoding: 'utf8' },
    );
    expect(stderr).toBe('');
    const results = JSON.parse(stdout) as { args: string[]; code: number; stderr: string }[];
    let named = 0;
    for (const result of results) {
      expectPlainWords(result, { errno, mode, args: result.args });
      if (result.code !== 0 && WORDS[errno]!.test(result.stderr)) named++;
    }
    expect({
      errno,
      named: named >= 12,
      failed: results.filter(({ code }) => code !== 0).length,
    }).toMatchObject({
      named: true,
    });
  });
});

describe('for real', () => {
  test('a store on a read-only disk', async () => {
    const disk = join(ocits.folder, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', disk]);
    try {
      const env = { OCITS_ROOT: join(disk, 'root'), OCITS_RUN: join(ocits.folder, 'run-ro') };
      await ocits.run(['load', '-i', archive], { env });
      await ocits.run(['create', '--name', 'made', '--network', 'none', 'busybox', 'true'], { env });
      execFileSync('mount', ['-o', 'remount,ro', disk]);
      for (const line of ['ps -a', 'images', 'system df', 'inspect made', 'volume ls']) {
        expect(await ocits.run(line.split(' '), { env })).toMatchObject({ code: 0, stderr: '' });
      }
      for (const args of [
        ['rm', 'made'],
        ['volume', 'create', 'new'],
        ['tag', 'busybox', 'y'],
        ['rmi', '-f', 'busybox'],
        ['container', 'prune', '-f'],
        ['build', '--network', 'none', '-t', 'z', context],
        ['run', '--rm', '--network', 'none', 'busybox', 'true'],
        ['system', 'prune', '-af'],
      ]) {
        const failed = await ocits.run(args, { env });
        expect({ args, ...failed }).toMatchObject({
          args,
          stderr: expect.stringMatching(/read-only file system/i),
        });
        expect(failed.code).not.toBe(0);
        expectPlainWords(failed, args);
        expect(failed.stderr.split('\n').length).toBeLessThan(20);
      }
    } finally {
      execFileSync('umount', [disk]);
    }
  });

  test('too few descriptors: each command works, or says so', () => {
    let named = 0;
    for (const limit of [24, 32, 40, 48]) {
      for (const args of [
        ['images'],
        ['ps', '-a'],
        ['run', '--rm', '--network', 'none', 'busybox', 'true'],
        ['save', '-o', join(ocits.folder, 'few.tar'), 'busybox'],
        ['build', '--network', 'none', '--no-cache', context],
      ]) {
        const [program, ...words] = ocits.command(args);
        const script = `ulimit -n ${limit}; exec "$0" "$@"`;
        const { status, stderr } = spawnSync('sh', ['-c', script, program!, ...words], {
          env: { ...ocits.env },
          encoding: 'utf8',
        });
        // Below that, Node itself does not start.
        if (status === 134 || status === null || /Assertion|node:internal\/bootstrap/.test(stderr)) continue;
        expectPlainWords({ code: status, stderr }, { limit, args, status });
        if (status !== 0 && /too many open files/i.test(stderr)) named++;
      }
    }
    expect(named).toBeGreaterThan(0);
  });

  test('a store that is a file, or a link to itself', async () => {
    const file = join(ocits.folder, 'file');
    writeFileSync(file, '');
    for (const root of [file, join(file, 'below')]) {
      const failed = await ocits.run(['images'], { env: { OCITS_ROOT: root } });
      expect(failed.code).toBe(1);
      expectPlainWords(failed, root);
      expect(failed.stderr).toMatch(/is not a folder/);
    }
  });
});
