import toml from '@iarna/toml';
import { describe, expect, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import { isLoopback, pathsAt, pullEndpoints, pushEndpoint } from '../../src/registry/config/endpoints.ts';
import { loadRegistriesConf } from '../../src/registry/config/load-registries-conf.ts';
import { parseRegistriesConf } from '../../src/registry/config/registries-conf.ts';
import { configHost } from '../support/registry/registry-config.ts';

const conf = (text: string) => parseRegistriesConf(toml.parse(text), 'registries.conf');

/** `host/path` of each place, with a mark for what is insecure, in the order to try. */
function places(name: string, text: string): string[] {
  return pullEndpoints(parseReference(name), conf(text)).map(
    ({ host, path, insecure }) => `${host}/${path}${insecure ? ' insecure' : ''}`,
  );
}

describe('where an image is pulled from', () => {
  test('without a table: its own name, Docker Hub at its other host', () => {
    expect(places('node', '')).toEqual(['registry-1.docker.io/library/node']);
    expect(places('example.com:5000/a/b:1', '')).toEqual(['example.com:5000/a/b']);
  });

  test('the example of containers-registries.conf(5)', () => {
    const text = `
      unqualified-search-registries = ["example.com"]
      [[registry]]
      prefix = "example.com/foo"
      insecure = false
      blocked = false
      location = "internal-registry-for-example.com/bar"
      [[registry.mirror]]
      location = "example-mirror-0.local/mirror-for-foo"
      [[registry.mirror]]
      location = "example-mirror-1.local/mirrors/foo"
      insecure = true
      [[registry]]
      location = "registry.com"
      [[registry.mirror]]
      location = "mirror.registry.com"`;
    expect(places('example.com/foo/image:latest', text)).toEqual([
      'example-mirror-0.local/mirror-for-foo/image',
      'example-mirror-1.local/mirrors/foo/image insecure',
      'internal-registry-for-example.com/bar/image',
    ]);
    expect(places('registry.com/image:latest', text)).toEqual([
      'mirror.registry.com/image',
      'registry.com/image',
    ]);
    expect(places('example.com/food/image', text)).toEqual(['example.com/food/image']);
  });

  test('the longest prefix counts, whatever the order of the tables', () => {
    const text = `
      [[registry]]
      location = "example.com"
      [[registry.mirror]]
      location = "all.local"
      [[registry]]
      prefix = "example.com/a/b"
      location = "deep.local/c"
      [[registry]]
      location = "example.com/a"
      insecure = true`;
    expect(places('example.com/a/b/c', text)).toEqual(['deep.local/c/c']);
    expect(places('example.com/a/b', text)).toEqual(['deep.local/c']);
    expect(places('example.com/a/bc', text)).toEqual(['example.com/a/bc insecure']);
    expect(places('example.com/x', text)).toEqual(['all.local/x', 'example.com/x']);
  });

  test('a host without a port is not the same host with one', () => {
    const text = '[[registry]]\nlocation = "example.com"\ninsecure = true';
    expect(places('example.com:5000/a', text)).toEqual(['example.com:5000/a']);
    expect(places('example.com/a:5000', text)).toEqual(['example.com/a insecure']);
  });

  test('a prefix may name a repository with its tag or digest', () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const text = `
      [[registry]]
      prefix = "example.com/a:1"
      location = "one.local/a:2"
      [[registry]]
      prefix = "example.com/b"
      location = "two.local/c"`;
    expect(places('example.com/a:1', text)).toEqual(['one.local/a']);
    expect(places('example.com/a:11', text)).toEqual(['example.com/a']);
    expect(places(`example.com/b:9@${digest}`, text)).toEqual(['two.local/c']);
  });

  test('a wildcard stands for any number of labels, with or without a new place', () => {
    const text = `
      [[registry]]
      prefix = "*.example.com"
      insecure = true
      [[registry.mirror]]
      location = "mirror.local/all"
      [[registry]]
      prefix = "*.moved.org"
      location = "new.org/old"
      [[registry]]
      location = "exact.example.com"`;
    expect(places('a.b.example.com/x', text)).toEqual(['mirror.local/all/x', 'a.b.example.com/x insecure']);
    expect(places('a.example.com:5000/x', text)).toEqual([
      'mirror.local/all/x',
      'a.example.com:5000/x insecure',
    ]);
    expect(places('sub.moved.org/x/y:1', text)).toEqual(['new.org/old/x/y']);
    expect(places('exact.example.com/x', text)).toEqual(['exact.example.com/x']);
    expect(places('example.com/x', text)).toEqual(['example.com/x']);
    expect(places('other.com/a.example.com/x', text)).toEqual(['other.com/a.example.com/x']);
  });

  test('mirrors for digests or tags alone', () => {
    const text = `
      [[registry]]
      location = "docker.io"
      [[registry.mirror]]
      location = "digests.local"
      pull-from-mirror = "digest-only"
      [[registry.mirror]]
      location = "tags.local"
      pull-from-mirror = "tag-only"
      [[registry.mirror]]
      location = "all.local"
      [[registry]]
      location = "strict.com"
      mirror-by-digest-only = true
      [[registry.mirror]]
      location = "mirror.local"`;
    const digest = `sha256:${'0'.repeat(64)}`;
    const hub = 'registry-1.docker.io/library/node';
    expect(places('node', text)).toEqual(['tags.local/library/node', 'all.local/library/node', hub]);
    expect(places(`node:1@${digest}`, text)).toEqual([
      'digests.local/library/node',
      'all.local/library/node',
      hub,
    ]);
    expect(places('strict.com/a', text)).toEqual(['strict.com/a']);
    expect(places(`strict.com/a@${digest}`, text)).toEqual(['mirror.local/a', 'strict.com/a']);
  });

  test('a mirror knows what it is asked as, and why', () => {
    const text = '[[registry]]\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "localhost:5000"';
    const [mirror, own] = pullEndpoints(parseReference('node'), conf(text));
    expect(mirror).toMatchObject({ registry: 'localhost:5000', path: 'library/node', isMirror: true });
    expect(mirror?.reason).toBe('mirror of docker.io by registries.conf');
    expect(own).toMatchObject({ registry: 'docker.io', host: 'registry-1.docker.io', isMirror: false });
  });

  test('a push goes past the mirrors, to the location', () => {
    const tables = conf(`
      [[registry]]
      prefix = "example.com"
      location = "elsewhere.com/there"
      insecure = true
      [[registry.mirror]]
      location = "mirror.local"`);
    expect(pushEndpoint(parseReference('example.com/a'), tables)).toMatchObject({
      host: 'elsewhere.com',
      path: 'there/a',
      insecure: true,
    });
    expect(pushEndpoint(parseReference('other.com/a'), tables)).toMatchObject({
      host: 'other.com',
      insecure: false,
    });
    expect(pathsAt('elsewhere.com', parseReference('example.com/a'), tables)).toEqual(['there/a']);
    expect(pathsAt('mirror.local', parseReference('example.com/a'), tables)).toEqual(['a']);
    expect(pathsAt('example.com', parseReference('example.com/a'), tables)).toEqual([]);
  });

  test('the realm that is trusted with credentials is that of the place', () => {
    const tables = conf(`
      [[registry]]
      location = "example.com"
      trusted-realm = "http://auth.lan:5001/token"
      [[registry.mirror]]
      location = "one.local"
      trusted-realm = "http://other.lan/t/"
      [[registry.mirror]]
      location = "two.local"`);
    const endpoints = pullEndpoints(parseReference('example.com/a'), tables);
    expect(endpoints.map(({ trustedRealm }) => trustedRealm)).toEqual([
      { url: 'http://other.lan/t/', file: 'registries.conf' },
      undefined,
      { url: 'http://auth.lan:5001/token', file: 'registries.conf' },
    ]);
  });

  test('a blocked registry is neither pulled from nor pushed to', () => {
    const tables = conf('[[registry]]\nlocation = "bad.com"\nblocked = true');
    for (const ask of [pullEndpoints, pushEndpoint]) {
      expect(() => ask(parseReference('bad.com/a'), tables)).toThrow(
        expect.objectContaining({ code: 'denied', message: expect.stringContaining('registries.conf') }),
      );
    }
  });

  test('the lists of version 1', () => {
    const text = '[registries.insecure]\nregistries = ["a.com"]\n[registries.block]\nregistries = ["b.com"]';
    expect(places('a.com/x', text)).toEqual(['a.com/x insecure']);
    expect(() => places('b.com/x', text)).toThrow('blocked');
  });
});

test.each([
  ['[[registry]]\ninsecure = true', 'registry[0] has neither prefix nor location'],
  ['[[registry]]\nlocation = "https://a.com"', 'registry[0].location'],
  ['[[registry]]\nlocation = "a.com"\ninsecure = "yes"', 'registry[0].insecure'],
  ['[[registry]]\nlocation = "a.com"\ntrusted-realm = "auth.lan"', 'registry[0].trusted-realm'],
  ['[[registry]]\nlocation = "a.com"\ntrusted-realm = "ftp://auth.lan"', 'registry[0].trusted-realm'],
  ['[[registry]]\nlocation = "a.com"\ntrusted-realm = "http://u:p@auth.lan"', 'registry[0].trusted-realm'],
  ['[[registry]]\nlocation = "a.com"\ntrusted-realm = "http://auth.lan/?a=b"', 'registry[0].trusted-realm'],
  ['[[registry]]\nlocation = "a.com"\ntrusted-realm = ["http://auth.lan"]', 'registry[0].trusted-realm'],
  ['[[registry]]\nprefix = "a.*.com"', 'registry[0].prefix'],
  ['[[registry]]\nprefix = "*.a.com/b"', 'registry[0].prefix'],
  [
    '[[registry]]\nlocation = "a.com"\n[[registry.mirror]]\ninsecure = true',
    'registry[0].mirror[0].location',
  ],
  [
    '[[registry]]\nlocation = "a.com"\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "some"',
    'pull-from-mirror',
  ],
  ['registry = "a.com"', 'registry is not a list'],
])('a fault names the file and the key: %s', (text, named) => {
  expect(() => conf(text)).toThrow(
    expect.objectContaining({ code: 'invalid-config', message: expect.stringContaining(named) }),
  );
});

test('loopback is this machine and nothing else', () => {
  for (const host of ['localhost', 'localhost:5000', '127.0.0.1:1', '127.9.9.9', '[::1]:5000']) {
    expect(isLoopback(host), host).toBe(true);
  }
  for (const host of [
    'localhost.evil.com',
    '127.0.0.1.evil.com',
    '10.0.0.1',
    '0.0.0.0',
    '[::2]',
    'a.localhost',
  ]) {
    expect(isLoopback(host), host).toBe(false);
  }
});

describe('the files', () => {
  const table = (prefix: string, location: string) =>
    `[[registry]]\nprefix = "${prefix}"\nlocation = "${location}"\n`;
  const locations = (tables: Awaited<ReturnType<typeof loadRegistriesConf>>) =>
    Object.fromEntries(tables.map(({ prefix, location }) => [prefix, location]));

  test('none at all', async () => {
    await using host = await configHost();
    expect(await loadRegistriesConf(host.folders)).toEqual([]);
  });

  test('the system file, then drop-ins in the order of their names, the user’s last', async () => {
    await using host = await configHost();
    await host.write('etc/containers/registries.conf', table('a.com', 'system') + table('b.com', 'system'));
    await host.write(
      'etc/containers/registries.conf.d/20.conf',
      table('b.com', 'twenty') + table('c.com', 'twenty'),
    );
    await host.write(
      'etc/containers/registries.conf.d/10.conf',
      table('c.com', 'ten') + table('d.com', 'ten'),
    );
    await host.write('etc/containers/registries.conf.d/30.conf.bak', table('d.com', 'ignored'));
    await host.write('home/.config/containers/registries.conf.d/x.conf', table('d.com', 'user'));
    expect(locations(await loadRegistriesConf(host.folders))).toEqual({
      'a.com': 'system',
      'b.com': 'twenty',
      'c.com': 'twenty',
      'd.com': 'user',
    });
  });

  test('the user’s file stands for the system’s and its drop-ins', async () => {
    await using host = await configHost();
    await host.write('etc/containers/registries.conf', table('a.com', 'system'));
    await host.write('etc/containers/registries.conf.d/10.conf', table('b.com', 'system'));
    await host.write('home/.config/containers/registries.conf', table('c.com', 'user'));
    await host.write('home/.config/containers/registries.conf.d/x.conf', table('d.com', 'user'));
    expect(locations(await loadRegistriesConf(host.folders))).toEqual({ 'c.com': 'user', 'd.com': 'user' });
  });

  test('CONTAINERS_REGISTRIES_CONF goes before both, and must exist', async () => {
    await using host = await configHost();
    await host.write('home/.config/containers/registries.conf', table('a.com', 'user'));
    const registriesConf = await host.write('mine.conf', table('a.com', 'mine'));
    expect(locations(await loadRegistriesConf({ ...host.folders, registriesConf }))).toEqual({
      'a.com': 'mine',
    });
    await expect(
      loadRegistriesConf({ ...host.folders, registriesConf: `${host.folder}/none` }),
    ).rejects.toMatchObject({ code: 'invalid-config' });
  });

  test('what is no TOML is shown with its place; a file of short names alone is not even read as TOML', async () => {
    await using host = await configHost();
    await host.write(
      'etc/containers/registries.conf',
      '[aliases]\n"node" = "registry.example/node"\n"registry" = "docker.io/library/registry"\nnot toml at all',
    );
    expect(await loadRegistriesConf(host.folders)).toEqual([]);
    const path = await host.write(
      'etc/containers/registries.conf',
      'unqualified-search-registries = []\n[[registry]]\nlocation = \n',
    );
    await expect(loadRegistriesConf(host.folders)).rejects.toMatchObject({
      code: 'invalid-config',
      location: { file: path, line: 3 },
    });
  });
});
