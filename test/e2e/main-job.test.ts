import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CommandLine } from '../support/program/command-line.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';

let ocits: CommandLine;
let context: string;

beforeAll(async () => {
  ocits = await CommandLine.open(['busybox', 'node']);
  context = join(ocits.folder, 'app');
  cpSync(join(import.meta.dirname, '../../testdata/demo'), context, { recursive: true });
}, 300_000);
afterAll(() => ocits[Symbol.asyncDispose]());

describe('the main job, line by line', () => {
  test('ocits pull node', async () => {
    const { code, stdout, stderr } = await ocits.run(['pull', 'node']);
    expect(stderr).toMatch(/Digest: sha256:[0-9a-f]{64}/);
    expect({ code, last: stdout.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      last: 'docker.io/library/node:latest',
    });
    const again = await ocits.run(['pull', 'node']);
    expect(again.stderr).toContain('Image is up to date');
    expect(again.code).toBe(0);
  });

  test('ocits build -t hello . runs npm install', async () => {
    const { code, stderr } = await ocits.run(
      ['build', '-t', 'hello', '--iidfile', join(ocits.folder, 'iid'), '.'],
      { cwd: context },
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const again = await ocits.run(['build', '-t', 'hello', '--progress', 'plain', '.'], { cwd: context });
    expect(again.stderr).toContain('CACHED');
    expect(await ocits.ok('run', '--rm', '--network', 'none', 'hello', 'ls', 'node_modules')).toBe('ms\n');
  });

  test('ocits run -d --name web -p …; logs, exec, stop', async () => {
    const id = (await ocits.ok('run', '-d', '--name', 'web', '-p', '127.0.0.1:0:3000', 'hello')).trim();
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    const address = (await ocits.ok('port', 'web', '3000')).trim();
    expect(await page(`http://${address}/`)).toContain('hello from ocits');
    expect(await ocits.ok('logs', 'web')).toContain('listening on 3000');
    expect(await ocits.ok('exec', 'web', 'cat', '/etc/hostname')).toBe(`${id.slice(0, 12)}\n`);
    expect(await ocits.ok('ps', '--format', '{{.Names}} {{.Image}}')).toBe('web hello\n');
    expect(await ocits.ok('stop', 'web')).toBe('web\n');
    expect(await ocits.ok('ps', '-q')).toBe('');
    expect(await ocits.ok('rm', 'web')).toBe('web\n');
  });

  test('ocits run --rm -v folder:/data busybox ls /data', async () => {
    expect(await ocits.ok('run', '--rm', '-v', `${context}:/data`, 'busybox', 'ls', '/data')).toBe(
      'Dockerfile\npackage.json\nserver.js\n',
    );
  });

  test('a single file can be mounted, read-only too', async () => {
    const file = join(context, 'server.js');
    const words = [
      '--network',
      'none',
      '-v',
      `${file}:/x:ro`,
      'busybox',
      'sh',
      '-c',
      'wc -l < /x; echo no >> /x',
    ];
    const { code, stdout, stderr } = await ocits.run(['run', '--rm', ...words]);
    expect({ code, stdout, stderr }).toMatchObject({
      code: 1,
      stdout: '7\n',
      stderr: expect.stringContaining('Read-only'),
    });
  });

  test('ocits push prints the digest, and a pull by it gives the image back', async () => {
    await ocits.ok('tag', 'hello', 'registry.example/me/hello:1');
    const { stdout, stderr, code } = await ocits.run(['push', 'registry.example/me/hello:1']);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(stdout + stderr)?.[1];
    const id = (await ocits.ok('images', '-q', '--no-trunc', 'hello')).trim();
    await ocits.ok('rmi', 'hello', 'registry.example/me/hello:1');
    await ocits.ok('pull', '-q', `registry.example/me/hello@${digest}`);
    expect((await ocits.ok('images', '-q', '--no-trunc', 'registry.example/me/hello')).trim()).toBe(id);
    const words = ['node', '-p', '"again"'];
    expect(
      await ocits.ok('run', '--rm', '--network', 'none', `registry.example/me/hello@${digest}`, ...words),
    ).toBe('again\n');
  });

  test('/etc is Docker’s, also in a new volume that is read-only', async () => {
    const script = 'readlink /etc/mtab; cat /etc/hostname /etc/passwd | head -1';
    const flags = ['--rm', '--network', 'none', '--hostname', 'here', '-v', 'settings:/etc:ro'];
    expect(await ocits.ok('run', '--rm', '--network', 'none', 'busybox', 'readlink', '/etc/mtab')).toBe(
      '/proc/mounts\n',
    );
    expect(await ocits.ok('run', ...flags, 'busybox', 'sh', '-c', script)).toBe('here\n');
    await ocits.ok('volume', 'rm', 'settings');
  });

  test('exit codes: the container’s, 126, 127 and 125', async () => {
    const code = async (...args: string[]) =>
      (await ocits.run(['run', '--rm', '--network', 'none', ...args])).code;
    expect(await code('busybox', 'sh', '-c', 'exit 7')).toBe(7);
    expect(await code('busybox', 'sh', '-c', "sh -c 'kill -9 $$'; exit $?")).toBe(137);
    expect(await code('busybox', '/etc/passwd')).toBe(126);
    expect(await code('busybox', 'no-such-command')).toBe(127);
    expect(await code('--no-such-flag', 'busybox')).toBe(125);
    expect(await code('nothing/like/this:here')).toBe(125);
  });
});

async function page(url: string): Promise<string> {
  return await vi.waitFor(async () => await (await fetch(url)).text(), { timeout: PATIENCE_MS });
}
