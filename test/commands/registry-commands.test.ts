import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostPlatform, parsePlatform } from '../../src/oci/platform.ts';
import { basicHeader } from '../../src/registry/auth/token-service.ts';
import { type OcitsRun, runOcits } from '../support/program/run-ocits.ts';
import { startRegistry, TEST_USER, type TestRegistry } from '../support/registry/registry.ts';
import { imageOf, indexOf, layerOf, tarOf, uploadImage } from '../support/registry/remote-image.ts';

let folder: string;
let open: TestRegistry;
let closed: TestRegistry;
const here = hostPlatform();
const elsewhere = parsePlatform(here.architecture === 's390x' ? 'linux/riscv64' : 'linux/s390x');
const layers = [layerOf(tarOf({ a: 'first' })), layerOf(tarOf({ b: 'second' }), 'zstd')];
const image = imageOf({ layers, platform: here });
const index = indexOf([image, imageOf({ layers: layers.slice(1), platform: elsewhere })]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocits-commands-'));
  open = await startRegistry();
  closed = await startRegistry({ auth: 'htpasswd' });
  await uploadImage(open.url, 'a/b', '1', index);
  await uploadImage(open.url, 'a/b', '2', imageOf({ layers, platform: here, config: { Cmd: ['x'] } }));
  await uploadImage(closed.url, 'a/b', '1', image, { authorization: basicHeader(TEST_USER) });
});
afterAll(async () => {
  await open?.[Symbol.asyncDispose]();
  await closed?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const ocits = (...args: string[]): Promise<OcitsRun> => runOcits(folder, args);

describe('pull', () => {
  test('prints the name, progress on standard error; the second time says that all is there', async () => {
    const first = await ocits('pull', `${open.host}/a/b:1`);
    expect(first).toMatchObject({ code: 0, stdout: `${open.host}/a/b:1\n` });
    expect(first.stderr).toContain(`Digest: ${index.descriptor.digest}`);
    expect(first.stderr).toMatch(/[0-9a-f]{12}: Pull complete/);
    const second = await ocits('pull', `${open.host}/a/b:1`);
    expect(second.stderr).toContain(`Image is up to date for ${open.host}/a/b:1`);
    expect(second.stderr).toMatch(/[0-9a-f]{12}: Already exists/);
  });

  test('-q prints the name alone; several names; all tags; another platform', async () => {
    const quiet = await ocits('pull', '-q', `${open.host}/a/b:1`, `${open.host}/a/b:2`);
    expect(quiet).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `${open.host}/a/b:1\n${open.host}/a/b:2\n`,
    });
    const byDigest = `${open.host}/a/b@${index.descriptor.digest}`;
    expect((await ocits('pull', '-q', byDigest)).stdout).toBe(`${byDigest}\n`);
    await uploadImage(open.url, 'a/plain', 'latest', image);
    const retired = await ocits('pull', '-q', '--disable-content-trust=false', `${open.host}/a/plain`);
    expect(retired).toMatchObject({
      code: 0,
      stdout: `${open.host}/a/plain:latest\n`,
      stderr:
        'Flag --disable-content-trust has been deprecated, support for docker content trust was removed\n',
    });
    const all = await ocits('pull', '-a', `${open.host}/a/b`);
    expect(all.stdout).toBe(`${open.host}/a/b\n`);
    for (const tag of ['1', '2'])
      expect(await runOcits(folder, ['image', 'inspect', `${open.host}/a/b:${tag}`])).toMatchObject({
        code: 0,
      });
    const other = await ocits(
      'pull',
      '--platform',
      `${elsewhere.os}/${elsewhere.architecture}`,
      `${open.host}/a/b:1`,
    );
    expect(other.code).toBe(0);
  });

  test('the platform comes from Docker’s variable where no flag gives it', async () => {
    const name = `${open.host}/a/b:2`;
    const env = { DOCKER_DEFAULT_PLATFORM: `${elsewhere.os}/${elsewhere.architecture}` };
    expect(await runOcits(folder, ['pull', '-q', name], { env })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`has no image for ${env.DOCKER_DEFAULT_PLATFORM}`),
    });
    const flag = `--platform=${here.os}/${here.architecture}`;
    for (const args of [
      ['pull', '-q', flag, name],
      ['push', '-q', name],
    ]) {
      expect(await runOcits(folder, args, { env })).toMatchObject({ code: 0, stderr: '' });
    }
    expect(await runOcits(folder, ['pull', '-q', '--platform=', name])).toMatchObject({ code: 0 });
  });

  test('--progress json is one event a line', async () => {
    const { stderr } = await ocits('pull', '--progress', 'json', `${open.host}/a/b:1`);
    const events = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; state?: string });
    expect(events.at(-1)).toMatchObject({ type: 'image', state: 'up-to-date' });
  });

  test.each([
    [['pull'], 1, 'at least 1 argument'],
    [['pull', 'Bad/Name'], 1, 'must be lowercase'],
    [['pull', '--platform', 'nonsense/', 'x'], 1, 'is not os/arch'],
    [['pull', '-a', 'x:1'], 1, 'cannot be given with --all-tags'],
    [['pull', 'no-such-host.invalid/a'], 1, 'there is no host no-such-host.invalid'],
  ])('%j', async (args, code, message) => {
    expect(await ocits(...args)).toMatchObject({
      code,
      stdout: '',
      stderr: expect.stringContaining(message),
    });
  });

  test('what a registry refuses, with what to do', async () => {
    expect(await ocits('pull', `${open.host}/a/none`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('hint: check the name and the tag'),
    });
    expect(await ocits('pull', `${closed.host}/a/b:1`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`ocits login ${closed.host}`),
    });
  });
});

describe('login and logout', () => {
  const stored = () => join(folder, 'home/.config/containers/auth.json');

  test('by --password-stdin: checked, kept for its owner alone, used, and taken away', async () => {
    const login = (input: string) =>
      runOcits(folder, ['login', '-u', TEST_USER.username, '--password-stdin', closed.host], { input });
    expect(await login('wrong\n')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('hint: check the name and the password'),
    });
    await expect(stat(stored())).rejects.toMatchObject({ code: 'ENOENT' });
    const right = await login(`${TEST_USER.password}\n`);
    expect(right).toMatchObject({ code: 0, stdout: 'Login Succeeded\n' });
    expect(right.stderr).toContain(`stored unencrypted in ${stored()}`);
    expect((await stat(stored())).mode & 0o777).toBe(0o600);
    expect(await ocits('pull', '-q', `${closed.host}/a/b:1`)).toMatchObject({ code: 0 });
    expect(await ocits('login', closed.host)).toMatchObject({ code: 0, stdout: 'Login Succeeded\n' });
    const debug = await ocits('--debug', 'pull', `${closed.host}/a/b:1`);
    expect(debug.stderr).toContain(`${TEST_USER.username} by ${stored()}`);
    expect(debug.stderr + debug.stdout).not.toContain(TEST_USER.password);
    expect(await ocits('logout', closed.host)).toMatchObject({
      stdout: `Removing login credentials for ${closed.host}\n`,
    });
    expect(await ocits('logout', closed.host)).toMatchObject({ stdout: `Not logged in to ${closed.host}\n` });
    expect(await readFile(stored(), 'utf8')).not.toContain(closed.host);
  });

  test('on a terminal the password is asked for, and does not appear', async () => {
    const input = `${TEST_USER.username}\n${TEST_USER.password}`;
    const run = await runOcits(folder, ['login', closed.host], { input, terminal: true });
    expect(run.stdout).toContain(`Username for ${closed.host}: `);
    expect(run.stdout).toContain('Password: ');
    expect(run.stdout).toContain('Login Succeeded');
    expect(run.stdout).not.toContain(TEST_USER.password);
    await ocits('logout', closed.host);
  });

  test('into the file that DOCKER_CONFIG names, beside what is there', async () => {
    const docker = join(folder, 'docker');
    await mkdir(docker, { recursive: true });
    await writeFile(
      join(docker, 'config.json'),
      JSON.stringify({ auths: { 'other.com': { auth: 'eDp5' } } }),
    );
    const args = ['login', '-u', TEST_USER.username, '-p', TEST_USER.password, closed.host];
    const run = await runOcits(folder, args, { env: { DOCKER_CONFIG: docker } });
    expect(run.stderr).toContain('--password on the command line is not safe');
    const { auths } = JSON.parse(await readFile(join(docker, 'config.json'), 'utf8')) as { auths: object };
    expect(Object.keys(auths).sort()).toEqual([closed.host, 'other.com'].sort());
  });

  test.each([
    [['login', '--password-stdin', 'a.com'], 1, '--password-stdin needs --username'],
    [['login', '-u', 'a', '-p', 'b', '--password-stdin'], 1, 'cannot be given together'],
    [['login', 'a.com'], 1, 'standard input is no terminal'],
    [['login', '-u', 'a', '-p', 'b', 'a.com/some/where'], 1, 'is not a registry'],
    [['logout', 'a b'], 1, 'is not a registry'],
  ])('%j', async (args, code, message) => {
    expect(await ocits(...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
  });
});

describe('push', () => {
  test('prints tag, digest and size', async () => {
    await ocits('pull', '-q', `${open.host}/a/b:2`);
    const { code, stdout, stderr } = await ocits('push', `${open.host}/a/b:2`);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^2: digest: sha256:[0-9a-f]{64} size: \d+\n$/);
    expect(stderr).toContain('Already exists');
    const all = await ocits('push', '-q', '-a', `${open.host}/a/b`);
    expect(all.stdout).toBe(`${open.host}/a/b\n`);
    const quiet = await ocits('push', '-q', '--disable-content-trust', `${open.host}/a/b:2`);
    expect(quiet).toMatchObject({ code: 0, stdout: `${open.host}/a/b:2\n` });
  });

  test.each([
    [['push', 'no-such-image'], 1, 'An image does not exist locally with the tag: no-such-image:latest'],
    [['push', '-a', 'x:1'], 1, 'cannot be given with --all-tags'],
    [['push'], 1, 'takes 1 argument'],
  ])('%j', async (args, code, message) => {
    expect(await ocits(...args)).toMatchObject({ code, stderr: expect.stringContaining(message) });
  });
});
