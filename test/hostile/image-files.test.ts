import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DECOY, HostileWorld } from '../support/hostile/hostile-world.ts';
import type { TarMember } from '../support/layer/tar-bytes.ts';

let world: HostileWorld;

beforeAll(async () => {
  world = await HostileWorld.open();
});
afterAll(() => world[Symbol.asyncDispose]());

/** What stands where a plain file or folder is expected: `at` is the file of the host that a link aims at. */
const KINDS: readonly (readonly [string, (path: string, at: string) => TarMember])[] = [
  ['absolute symlinks', (path, at) => ({ path, type: 'symlink', target: at })],
  [
    'relative symlinks',
    (path, at) => ({ path, type: 'symlink', target: `${'../'.repeat(12)}${at.slice(1)}` }),
  ],
  ['fifos', (path) => ({ path, type: 'fifo' })],
  ['devices', (path) => ({ path, type: 'char', major: 1, minor: 9 })],
  ['huge files', (path) => ({ path, content: HUGE })],
];
const HUGE = Buffer.alloc(6 * 1024 * 1024, 'x:');

const PLACES = {
  targets: ['dev', 'proc', 'sys', 'etc/hosts', 'etc/resolv.conf', 'etc/hostname'],
  etc: ['etc'],
  dev: ['dev/null', 'dev/console', 'dev/ptmx', 'dev/pts', 'dev/shm', 'dev/mqueue', 'dev/fd', 'dev/stdout'],
};

/** Prints the facts that must hold, and tries to write through every name. */
const SCRIPT = [
  'echo "dev $(stat -f -c %T /dev) $(stat -c %t:%T:%F /dev/null)"',
  'echo "proc $(cat /proc/self/comm) sys $(stat -f -c %T /sys)"',
  'for f in hosts hostname resolv.conf; do echo "$f $(stat -c %F /etc/$f)"; done',
  'grep -h . /etc/hosts /etc/resolv.conf /etc/hostname',
  'for f in dev/null dev/console dev/stdout etc/hosts etc/resolv.conf etc/hostname; do (echo pwned > /$f) 2>/dev/null; done',
  'true',
].join('\n');

function expectOwnFiles(output: string): void {
  expect(output).toMatch(/dev tmpfs 1:3:character special file/);
  expect(output).toMatch(/proc cat sys sysfs/);
  for (const file of ['hosts', 'hostname', 'resolv.conf']) expect(output).toContain(`${file} regular`);
  expect(output).toContain('127.0.0.1\tlocalhost');
  expect(output).not.toContain(DECOY);
}

const targetsOf = (member: (path: string, at: string) => TarMember, paths: readonly string[]) =>
  paths.map((path) => member(path, `${world.decoy}/${path.replace(/^etc\//, '')}`));

async function build(image: string): Promise<string> {
  const { code, stderr } = await world.build(image, [`RUN ${SCRIPT.replaceAll('\n', '; ')}`]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stderr;
}

async function exec(image: string): Promise<string> {
  const id = await world.detached(image);
  const output = await world.ocits.ok('exec', id, '/bin/sh', '-c', SCRIPT);
  await world.ocits.ok('rm', '-f', id);
  return output;
}

async function run(image: string): Promise<string> {
  const { code, stdout, stderr } = await world.run(image, SCRIPT);
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

describe.each(KINDS)('an image that has %s', (_kind, member) => {
  test('for its mount targets gets ours', async () => {
    const image = await world.image([targetsOf(member, PLACES.targets)]);
    for (const output of await Promise.all([run(image), exec(image), build(image)])) expectOwnFiles(output);
    expect(await world.isHostChanged()).toBe(false);
  });

  test('for /etc or in /dev gets ours', async () => {
    const images = await Promise.all(
      [PLACES.etc, PLACES.dev].map((paths) => world.image([targetsOf(member, paths)])),
    );
    for (const output of await Promise.all([run(images[0]!), build(images[0]!), run(images[1]!)])) {
      expectOwnFiles(output);
    }
    expect(await world.isHostChanged()).toBe(false);
  });

  test('for /etc/passwd and /etc/group names nobody of the host', async () => {
    const image = await world.image([targetsOf(member, ['etc/passwd', 'etc/group'])]);
    const attempts = await Promise.all([
      world.run(image, 'id', '-u', 'evil'),
      world.run(image, 'id', '-u', '5:evil'),
      world.build(image, ['USER evil', 'RUN id']),
    ]);
    for (const { code, stdout, stderr } of attempts) {
      expect(code).toBeGreaterThan(0);
      expect(stdout).toBe('');
      expect(stderr).toMatch(
        /"evil" is not in the image|in the image has more than|\/etc\/(passwd|group) has \d+ bytes/,
      );
    }
    expect(await world.isHostChanged()).toBe(false);
  });
});
