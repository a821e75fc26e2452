import { Readable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import { basicHeader, mayReceiveCredentials } from '../../src/registry/auth/token-service.ts';
import { FakeRegistry, sendError } from '../support/registry/fake-registry.ts';
import { startRegistry, TEST_USER } from '../support/registry/registry.ts';
import { authEntry, configHost } from '../support/registry/registry-config.ts';
import { imageOf, layerOf, tarOf, uploadImage } from '../support/registry/remote-image.ts';
import { startTokenServer } from '../support/registry/token-server.ts';

const image = imageOf({ layers: [layerOf(tarOf({ a: 'b' }))] });
const authorization = { authorization: basicHeader(TEST_USER) };
const wrong = { username: 'alice', password: 'not-the-secret' };

describe('a registry with passwords', () => {
  test('the right one, none, a wrong one', async () => {
    await using server = await startRegistry({ auth: 'htpasswd' });
    await uploadImage(server.url, 'a/b', '1', image, authorization);
    const reference = parseReference(`${server.host}/a/b:1`);
    await using host = await configHost();
    await expect(host.registry().repository(reference).resolve('1')).rejects.toMatchObject({
      code: 'unauthorized',
      hint: `log in, where the repository is not public: ocits login ${server.host}`,
    });
    const path = await host.write('home/.docker/config.json', { auths: { [server.host]: authEntry(wrong) } });
    await expect(host.registry().repository(reference).resolve('1')).rejects.toMatchObject({
      code: 'unauthorized',
      hint: expect.stringContaining(`alice by ${path}`),
    });
    await host.write('home/.docker/config.json', { auths: { [server.host]: authEntry(TEST_USER) } });
    const client = host.registry().repository(reference);
    expect(await client.resolve('1')).toMatchObject({ digest: image.descriptor.digest });
    const chosen = host.events.findLast(
      (event) => event.type === 'message' && event.text.startsWith('credentials'),
    );
    expect(chosen).toMatchObject({ level: 'debug', text: expect.stringContaining(path) });
    expect(JSON.stringify(host.events)).not.toContain(TEST_USER.password);
  });

  test('the check of a login', async () => {
    await using server = await startRegistry({ auth: 'htpasswd' });
    await using host = await configHost();
    const registry = host.registry();
    await registry.checkLogin(server.host, { kind: 'basic', ...TEST_USER });
    await expect(registry.checkLogin(server.host, { kind: 'basic', ...wrong })).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });
});

describe('a registry with tokens', () => {
  test('anyone pulls, who has logged in pushes; one token a scope', async () => {
    await using tokens = await startTokenServer();
    await using server = await startRegistry({ auth: tokens.trust });
    await using host = await configHost();
    const reference = parseReference(`${server.host}/a/b:1`);
    const [layer] = [...image.blobs].filter(([digest]) => digest !== image.descriptor.digest);
    const [digest, content] = layer!;
    const upload = { digest, sizeBytes: content.length, open: async () => Readable.from([content]) };
    await expect(host.registry().repository(reference).uploadBlob(upload)).rejects.toMatchObject({
      code: 'unauthorized',
    });
    await host.write('home/.docker/config.json', { auths: { [server.host]: authEntry(TEST_USER) } });
    const client = host.registry().repository(reference);
    const before = tokens.requests.length;
    expect(await client.uploadBlob(upload)).toEqual({ state: 'uploaded' });
    expect(await client.uploadBlob(upload)).toEqual({ state: 'exists' });
    expect(tokens.requests.slice(before)).toEqual([
      expect.objectContaining({ scopes: ['repository:a/b:pull,push'], account: 'alice', user: 'alice' }),
    ]);
    await Promise.allSettled([client.resolve('1'), client.resolve('2'), client.resolve('3')]);
    expect(tokens.requests.slice(before + 1)).toEqual([
      expect.objectContaining({ scopes: ['repository:a/b:pull'] }),
    ]);
  });

  test('an identity token is changed into a token by OAuth', async () => {
    await using tokens = await startTokenServer();
    await using server = await startRegistry({ auth: tokens.trust });
    await using host = await configHost();
    await host.write('home/.docker/config.json', {
      auths: { [server.host]: { identitytoken: `refresh-of-${TEST_USER.username}` } },
    });
    const client = host.registry().repository(parseReference(`${server.host}/a/b:1`));
    await expect(client.resolve('1')).rejects.toMatchObject({ code: 'not-found' });
    expect(tokens.requests).toEqual([expect.objectContaining({ method: 'POST', user: 'alice' })]);
  });

  test('wrong credentials are refused by the token service, and that is said', async () => {
    await using tokens = await startTokenServer();
    await using server = await startRegistry({ auth: tokens.trust });
    await using host = await configHost();
    const registry = host.registry();
    await registry.checkLogin(server.host, { kind: 'basic', ...TEST_USER });
    await expect(registry.checkLogin(server.host, { kind: 'basic', ...wrong })).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining('incorrect username or password'),
    });
    await host.write('home/.docker/config.json', { auths: { [server.host]: authEntry(wrong) } });
    await expect(
      host
        .registry()
        .repository(parseReference(`${server.host}/a/b:1`))
        .resolve('1'),
    ).rejects.toMatchObject({ code: 'unauthorized' });
  });

  test('a token that the registry does not take any more is fetched anew', async () => {
    await using fake = await FakeRegistry.start();
    const { digest } = fake.addManifest('1', { schemaVersion: 2 });
    let issued = 0;
    let valid = 1;
    fake.on('GET', /^\/token/, ({ response }) => {
      response.end(JSON.stringify({ access_token: `t${++issued}`, expires_in: 300 }));
    });
    fake.on('HEAD', /manifests/, async ({ request, response, serve }) => {
      if (request.headers.authorization === `Bearer t${valid}`) return await serve();
      sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="${fake.url}/token"` });
    });
    await using host = await configHost();
    const client = host.registry().repository(parseReference(`${fake.host}/a/b:1`));
    expect((await client.resolve('1')).digest).toBe(digest);
    valid = 2;
    expect((await client.resolve('1')).digest).toBe(digest);
    expect(issued).toBe(2);
    valid = 9;
    await expect(client.resolve('1')).rejects.toMatchObject({ code: 'unauthorized' });
    expect(issued).toBeLessThanOrEqual(4);
  });

  test.each([
    ['no JSON', 'hello'],
    ['no token', '{}'],
    ['a header in the token', JSON.stringify({ token: 'a\r\nX-Evil: b' })],
    ['more than a megabyte', JSON.stringify({ token: 'a'.repeat(2 ** 21) })],
  ])('a hostile token service: %s', async (_what, answer) => {
    await using fake = await FakeRegistry.start();
    fake.on('GET', /^\/token/, ({ response }) => void response.end(answer));
    fake.on('HEAD', /manifests/, ({ response }) =>
      sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="${fake.url}/token"` }),
    );
    await using host = await configHost();
    const client = host.registry().repository(parseReference(`${fake.host}/a/b:1`));
    await expect(client.resolve('1')).rejects.toMatchObject({ code: 'hostile' });
  });

  test.each(['ftp://a/token', 'token', 'http://u:p@127.0.0.1/token', ''])(
    'the realm %j is refused',
    async (realm) => {
      await using fake = await FakeRegistry.start();
      fake.on('HEAD', /manifests/, ({ response }) =>
        sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="${realm}"` }),
      );
      await using host = await configHost();
      const client = host.registry().repository(parseReference(`${fake.host}/a/b:1`));
      await expect(client.resolve('1')).rejects.toMatchObject({ code: 'hostile' });
    },
  );

  test('an authentication that nobody here knows', async () => {
    await using fake = await FakeRegistry.start();
    fake.on('HEAD', /manifests/, ({ response }) =>
      sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Negotiate' }),
    );
    await using host = await configHost();
    const client = host.registry().repository(parseReference(`${fake.host}/a/b:1`));
    await expect(client.resolve('1')).rejects.toMatchObject({ code: 'unsupported' });
  });
});

describe('credentials stay where they belong', () => {
  test.each([
    ['https://auth.docker.io/token', 'https://registry-1.docker.io', true],
    ['https://gitlab.example/jwt/auth', 'https://registry.gitlab.example:5050', true],
    ['http://auth.example/token', 'https://registry.example', false],
    ['http://registry.example/token', 'https://registry.example', false],
    ['http://auth.example/token', 'http://registry.example', false],
    ['https://auth.evil/token', 'http://registry.example', false],
    ['http://127.0.0.1:5001/token', 'http://127.0.0.1:5000', true],
    ['http://auth.example/token', 'http://127.0.0.1:5000', false],
    ['http://127.0.0.1:5001/token', 'https://registry.example', false],
    ['http://[::1]:5001/token', 'http://127.0.0.1:5000', true],
    ['http://localhost:5001/token', 'http://[::1]:5000', true],
    ['http://127.9.8.7:5001/token', 'https://localhost:5000', true],
    ['http://127.1:5001/token', 'http://localhost.:5000', true],
    ['http://[::ffff:127.0.0.1]:5001/token', 'http://127.0.0.1:5000', true],
    ['http://127.0.0.1.example/token', 'http://127.0.0.1:5000', false],
    ['http://0.0.0.0/token', 'http://127.0.0.1:5000', false],
  ])('realm %s of registry %s: %s', (realm, registry, allowed) => {
    expect(mayReceiveCredentials(new URL(realm), { registryUrl: new URL(registry) })).toBe(allowed);
  });

  test.each([
    ['http://auth.example/token', 'http://registry.example', true],
    ['http://auth.example/token', 'https://registry.example', true],
    ['http://auth.example/token?tenant=1', 'http://registry.example', true],
    ['http://auth.example/token/', 'http://registry.example', false],
    ['http://auth.example/other', 'http://registry.example', false],
    ['http://auth.example:81/token', 'http://registry.example', false],
    ['http://other.example/token', 'http://registry.example', false],
    ['https://auth.example/token', 'http://registry.example', false],
  ])(
    'realm %s of registry %s, where http://auth.example/token is trusted: %s',
    (realm, registry, allowed) => {
      const trustedRealm = 'http://auth.example/token';
      const asked = { registryUrl: new URL(registry), trustedRealm };
      expect(mayReceiveCredentials(new URL(realm), asked)).toBe(allowed);
    },
  );

  test('registries.conf names one realm that is told the password over plain http, with a warning', async () => {
    await using fake = await FakeRegistry.start();
    const { digest } = fake.addManifest('1', { schemaVersion: 2 });
    // A name that is nobody's, so that its address is reached by the proxy alone.
    const realm = 'http://tokens.example/token';
    fake.on('GET', /token/, ({ request, response }) => {
      const known = request.headers.authorization === basicHeader(TEST_USER);
      response.end(JSON.stringify({ token: known ? 'alice' : 'anyone' }));
    });
    fake.on('HEAD', /manifests/, async ({ request, response, serve }) => {
      if (request.headers.authorization === 'Bearer alice') return await serve();
      sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="${realm}"` });
    });
    await using host = await configHost();
    await host.write('home/.docker/config.json', { auths: { [fake.host]: authEntry(TEST_USER) } });
    const resolve = async () => {
      const client = host.registry().repository(parseReference(`${fake.host}/a/b:1`));
      return await client.resolve('1');
    };
    vi.stubEnv('http_proxy', fake.url);
    try {
      await expect(resolve()).rejects.toMatchObject({ code: 'unauthorized' });
      expect(host.events).toContainEqual(
        expect.objectContaining({
          level: 'warning',
          text: `the credentials for ${fake.host} are not sent to http://tokens.example, which is not safe to send them to; trusted-realm = "${realm}" in registries.conf would allow it`,
        }),
      );
      const path = await host.write(
        'etc/containers/registries.conf',
        `[[registry]]\nlocation = "${fake.host}"\ntrusted-realm = "${realm}"\n`,
      );
      host.events.length = 0;
      expect((await resolve()).digest).toBe(digest);
      expect(host.events.filter((event) => event.type === 'message' && event.level === 'warning')).toEqual([
        expect.objectContaining({
          text: `the password for ${fake.host} goes to http://tokens.example over plain http, as trusted-realm in ${path} allows`,
        }),
      ]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('a redirect to another host, and a Location there, carry none', async () => {
    await using other = await FakeRegistry.start();
    await using fake = await FakeRegistry.start();
    const blob = other.addBlob(Buffer.from('content'));
    const challenge = { 'www-authenticate': 'Basic realm="x"' };
    fake.on('GET', /blobs/, ({ request, response }) => {
      if (request.headers.authorization === undefined)
        return sendError(response, 401, 'UNAUTHORIZED', challenge);
      response.writeHead(307, { location: `${other.url}/v2/x/y/blobs/${blob.digest}` }).end();
    });
    fake.on('HEAD', /blobs/, ({ response }) => sendError(response, 404, 'BLOB_UNKNOWN'));
    fake.on('POST', /uploads/, ({ request, response }) => {
      if (request.headers.authorization === undefined)
        return sendError(response, 401, 'UNAUTHORIZED', challenge);
      response.writeHead(202, { location: `${other.url}/v2/x/y/blobs/uploads/1` }).end();
    });
    other.on('PUT', /uploads/, ({ response, request }) => {
      request.resume();
      response.writeHead(201).end();
    });
    await using host = await configHost();
    await host.write('home/.docker/config.json', {
      auths: { [fake.host]: authEntry(TEST_USER), [other.host]: authEntry(TEST_USER) },
    });
    const client = host.registry().repository(parseReference(`${fake.host}/a/b:1`));
    const fetched = await client.fetchBlob(blob, 0);
    const chunks: Uint8Array[] = [];
    for await (const chunk of fetched.body) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('content');
    await client.uploadBlob({
      digest: blob.digest,
      sizeBytes: 7,
      open: async () => Readable.from(['content']),
    });
    expect(other.requests.map(({ method }) => method)).toEqual(['GET', 'PUT']);
    for (const { headers } of other.requests) expect(headers.authorization).toBeUndefined();
    expect(fake.requests.some(({ headers }) => headers.authorization === basicHeader(TEST_USER))).toBe(true);
  });

  test('another host that asks for a login after a redirect gets none', async () => {
    await using other = await FakeRegistry.start();
    await using fake = await FakeRegistry.start();
    const digest = image.descriptor.digest;
    fake.on(
      'GET',
      /blobs/,
      ({ response }) => void response.writeHead(302, { location: `${other.url}/x` }).end(),
    );
    other.on('GET', /x/, ({ response }) =>
      sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="${other.url}/token"` }),
    );
    await using host = await configHost();
    await host.write('home/.docker/config.json', {
      auths: { [fake.host]: authEntry(TEST_USER), [other.host]: authEntry(TEST_USER) },
    });
    const client = host.registry().repository(parseReference(`${fake.host}/a/b:1`));
    await expect(client.fetchBlob({ ...image.descriptor, digest }, 0)).rejects.toMatchObject({
      code: 'unauthorized',
    });
    expect(other.requests.map(({ path }) => path)).toEqual(['/x']);
    expect(other.requests[0]?.headers.authorization).toBeUndefined();
  });

  test('a token service that redirects elsewhere is not followed', async () => {
    await using other = await FakeRegistry.start();
    await using fake = await FakeRegistry.start();
    fake.on(
      'GET',
      /^\/token/,
      ({ response }) => void response.writeHead(302, { location: `${other.url}/t` }).end(),
    );
    fake.on('HEAD', /manifests/, ({ response }) =>
      sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="${fake.url}/token"` }),
    );
    await using host = await configHost();
    await host.write('home/.docker/config.json', { auths: { [fake.host]: authEntry(TEST_USER) } });
    const client = host.registry().repository(parseReference(`${fake.host}/a/b:1`));
    await expect(client.resolve('1')).rejects.toMatchObject({ code: 'denied' });
    expect(other.requests).toEqual([]);
  });

  test('a mirror is shown its own credentials, never those of the registry', async () => {
    await using mirror = await FakeRegistry.start();
    mirror.on('HEAD', /manifests/, ({ response }) =>
      sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="x"' }),
    );
    await using fake = await FakeRegistry.start();
    const { digest } = fake.addManifest('1', { schemaVersion: 2 });
    await using host = await configHost();
    await host.write(
      'etc/containers/registries.conf',
      `[[registry]]\nlocation = "${fake.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"\n`,
    );
    await host.write('home/.docker/config.json', { auths: { [fake.host]: authEntry(TEST_USER) } });
    const client = host.registry().repository(parseReference(`${fake.host}/a/b:1`));
    expect((await client.resolve('1')).digest).toBe(digest);
    for (const { headers } of mirror.requests) expect(headers.authorization).toBeUndefined();
  });
});
