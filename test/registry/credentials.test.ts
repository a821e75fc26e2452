import { chmod, lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { findCredential } from '../../src/registry/auth/credentials.ts';
import { eraseCredential, storeCredential } from '../../src/registry/auth/store-credential.ts';
import { authEntry, type ConfigHost, configHost } from '../support/registry/registry-config.ts';

const alice = { username: 'alice', password: 'pass:word ü' };
const bob = { username: 'bob', password: 'b' };
const basic = (user: typeof alice) => ({ kind: 'basic', ...user }) as const;

afterEach(() => vi.unstubAllEnvs());

/** A credential helper that keeps what it is given in a folder of files. */
async function installHelper(host: ConfigHost, name: string): Promise<string> {
  const kept = join(host.folder, 'kept');
  await mkdir(kept, { recursive: true });
  const program = join(host.folder, 'bin', `docker-credential-${name}`);
  await mkdir(dirname(program), { recursive: true });
  await writeFile(
    program,
    `#!/bin/sh
input=$(cat); verb=$1; cd ${kept}
key() { printf %s "$1" | tr /: __; }
case $verb in
get) f=$(key "$input"); if [ -e "$f" ]; then cat "$f"; else echo 'credentials not found in native keychain'; exit 1; fi ;;
store) url=$(printf %s "$input" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/'); printf %s "$input" > "$(key "$url")" ;;
erase) rm -f "$(key "$input")" ;;
esac\n`,
  );
  await chmod(program, 0o755);
  vi.stubEnv('PATH', `${dirname(program)}:${process.env['PATH']}`);
  return kept;
}

describe('looking for credentials', () => {
  test('no file: none, and the reason says so', async () => {
    await using host = await configHost();
    expect(await findCredential('a.com', 'x', host.folders)).toEqual({
      credential: undefined,
      source: undefined,
      reason: 'no credentials for a.com: there is no file of credentials',
    });
  });

  test('the longest part of the name counts, the host last', async () => {
    await using host = await configHost();
    await host.write('home/.config/containers/auth.json', {
      auths: {
        'a.com': authEntry({ username: 'host', password: '1' }),
        'a.com/ns': authEntry({ username: 'namespace', password: '2' }),
        'a.com/ns/repo': authEntry({ username: 'repository', password: '3' }),
      },
    });
    const user = async (path: string) => {
      const { credential } = await findCredential('a.com', path, host.folders);
      return credential?.kind === 'basic' ? credential.username : undefined;
    };
    expect(await user('ns/repo')).toBe('repository');
    expect(await user('ns/repository')).toBe('namespace');
    expect(await user('other')).toBe('host');
    expect(await findCredential('b.com', 'ns/repo', host.folders)).toMatchObject({ credential: undefined });
  });

  test.each([
    'https://index.docker.io/v1/',
    'docker.io',
    'index.docker.io',
    'https://registry-1.docker.io/v2/',
  ])('Docker Hub’s key %s', async (key) => {
    await using host = await configHost();
    const path = await host.write('home/.docker/config.json', { auths: { [key]: authEntry(alice) } });
    expect(await findCredential('docker.io', 'library/node', host.folders)).toEqual({
      credential: basic(alice),
      source: `alice by ${path}`,
      reason: `credentials for docker.io: alice by ${path}, entry ${JSON.stringify(key)}`,
    });
  });

  test('a key is for its host with its port, and no other', async () => {
    await using host = await configHost();
    await host.write('home/.docker/config.json', { auths: { 'https://a.com:5000/v2/': authEntry(alice) } });
    expect(await findCredential('a.com:5000', 'x', host.folders)).toMatchObject({ credential: basic(alice) });
    expect(await findCredential('a.com', 'x', host.folders)).toMatchObject({ credential: undefined });
  });

  test('the order of the files', async () => {
    await using host = await configHost();
    const entry = (username: string) => ({ auths: { 'a.com': authEntry({ username, password: 'x' }) } });
    await host.write('home/.docker/config.json', entry('docker'));
    const who = async (folders = host.folders) =>
      (await findCredential('a.com', 'x', folders)).source?.replace(/ by .*/, '');
    expect(await who()).toBe('docker');
    await host.write('run/containers/auth.json', entry('runtime'));
    expect(await who()).toBe('runtime');
    await host.write('home/.config/containers/auth.json', entry('login'));
    expect(await who()).toBe('login');
    await host.write('mine/config.json', entry('docker-config'));
    expect(await who({ ...host.folders, dockerConfig: join(host.folder, 'mine') })).toBe('docker-config');
    const authFile = await host.write('auth-file.json', { auths: {} });
    expect(await who({ ...host.folders, authFile })).toBeUndefined();
  });

  test('identity tokens, and name and password in plain', async () => {
    await using host = await configHost();
    await host.write('home/.docker/config.json', {
      auths: { 'a.com': { auth: 'eDo=', identitytoken: 'refresh' }, 'b.com': alice, 'c.com': {} },
    });
    const found = async (registry: string) => (await findCredential(registry, 'x', host.folders)).credential;
    expect(await found('a.com')).toEqual({ kind: 'identity-token', token: 'refresh' });
    expect(await found('b.com')).toEqual(basic(alice));
    expect(await found('c.com')).toBeUndefined();
  });

  test('a faulty file is named, and its secrets are not shown', async () => {
    await using host = await configHost();
    const path = await host.write(
      'home/.docker/config.json',
      '{"auths": {"a.com": {"auth": "c2VjcmV0"} oops',
    );
    const error = await findCredential('a.com', 'x', host.folders).catch((e: unknown) => e as Error);
    expect(error).toMatchObject({ code: 'invalid-config', message: `${path} is no valid JSON` });
    await host.write('home/.docker/config.json', { auths: { 'a.com': { auth: 'c2VjcmV0' } } });
    const entry = await findCredential('a.com', 'x', host.folders).catch((e: unknown) => e as Error);
    expect(entry).toMatchObject({ code: 'invalid-config' });
    expect((entry as Error).message).not.toContain('secret');
  });

  test('helpers: one for the registry goes before auths, one for all after them', async () => {
    await using host = await configHost();
    const kept = await installHelper(host, 'test');
    await writeFile(
      join(kept, 'a.com'),
      JSON.stringify({ ServerURL: 'a.com', Username: 'kept', Secret: 's' }),
    );
    await writeFile(join(kept, 'b.com'), JSON.stringify({ Username: '<token>', Secret: 'refresh' }));
    await host.write('home/.docker/config.json', {
      auths: { 'a.com': authEntry(alice), 'd.com': authEntry(bob) },
      credHelpers: { 'a.com': 'test' },
      credsStore: 'test',
    });
    const found = (registry: string) => findCredential(registry, 'x', host.folders);
    expect(await found('a.com')).toMatchObject({
      credential: { kind: 'basic', username: 'kept', password: 's' },
      source: 'kept by docker-credential-test',
    });
    expect(await found('b.com')).toMatchObject({ credential: { kind: 'identity-token', token: 'refresh' } });
    expect(await found('c.com')).toMatchObject({ credential: undefined });
    expect(await found('d.com')).toMatchObject({ credential: basic(bob) });
  });

  test('a helper that is missing is an error, and its name cannot be a path', async () => {
    await using host = await configHost();
    await host.write('home/.docker/config.json', {
      credHelpers: { 'a.com': 'no-such-helper', 'b.com': '../x' },
    });
    await expect(findCredential('a.com', 'x', host.folders)).rejects.toMatchObject({
      code: 'missing-program',
    });
    await expect(findCredential('b.com', 'x', host.folders)).rejects.toMatchObject({
      code: 'invalid-config',
    });
  });
});

describe('keeping credentials', () => {
  const login = (host: ConfigHost) => join(host.folder, 'home/.config/containers/auth.json');

  test('in a file that only its owner reads, found again, erased again', async () => {
    await using host = await configHost();
    const place = await storeCredential('a.com', basic(alice), host.folders);
    expect(place).toEqual({ path: login(host), helper: undefined });
    expect((await stat(login(host))).mode & 0o777).toBe(0o600);
    expect(await findCredential('a.com', 'x', host.folders)).toMatchObject({ credential: basic(alice) });
    expect(await eraseCredential('a.com', host.folders)).toEqual({ removed: true, remaining: [] });
    expect(await findCredential('a.com', 'x', host.folders)).toMatchObject({ credential: undefined });
    expect(await eraseCredential('a.com', host.folders)).toEqual({ removed: false, remaining: [] });
  });

  test('other fields and entries stay; Docker Hub gets Docker’s key, once', async () => {
    await using host = await configHost({});
    const content = {
      auths: { 'b.com': authEntry(bob), 'docker.io': authEntry(bob) },
      HttpHeaders: { a: 'b' },
    };
    const path = await host.write('docker/config.json', content, 0o644);
    const folders = { ...host.folders, dockerConfig: dirname(path) };
    await storeCredential('docker.io', basic(alice), folders);
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
      auths: { 'b.com': authEntry(bob), 'https://index.docker.io/v1/': authEntry(alice) },
      HttpHeaders: { a: 'b' },
    });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('many logins at once lose none', async () => {
    await using host = await configHost();
    const names = Array.from({ length: 8 }, (_, index) => `r${index}.com`);
    await Promise.all(names.map((name) => storeCredential(name, basic(alice), host.folders)));
    expect(Object.keys(JSON.parse(await readFile(login(host), 'utf8')).auths).sort()).toEqual(names);
  });

  test('a linked file stays linked', async () => {
    await using host = await configHost();
    const real = await host.write('dotfiles/auth.json', { auths: {} });
    await mkdir(dirname(login(host)), { recursive: true });
    await symlink(real, login(host));
    await storeCredential('a.com', basic(alice), host.folders);
    expect((await lstat(login(host))).isSymbolicLink()).toBe(true);
    expect(await readFile(real, 'utf8')).toContain('a.com');
  });

  test('a helper keeps the secret out of the file', async () => {
    await using host = await configHost();
    await installHelper(host, 'test');
    await host.write('home/.config/containers/auth.json', { credsStore: 'test' });
    const place = await storeCredential('a.com', basic(bob), host.folders);
    expect(place.helper).toBe('test');
    expect(JSON.parse(await readFile(login(host), 'utf8'))).toEqual({
      credsStore: 'test',
      auths: { 'a.com': {} },
    });
    expect(await findCredential('a.com', 'x', host.folders)).toMatchObject({ credential: basic(bob) });
    expect(await eraseCredential('a.com', host.folders)).toEqual({ removed: true, remaining: [] });
    expect(await findCredential('a.com', 'x', host.folders)).toMatchObject({ credential: undefined });
  });

  test('a file that another program wrote is not touched, but named', async () => {
    await using host = await configHost();
    const other = await host.write('home/.docker/config.json', { auths: { 'a.com': authEntry(bob) } });
    await storeCredential('a.com', basic(alice), host.folders);
    expect(await eraseCredential('a.com', host.folders)).toEqual({ removed: true, remaining: [other] });
    expect(await findCredential('a.com', 'x', host.folders)).toMatchObject({ credential: basic(bob) });
  });
});
