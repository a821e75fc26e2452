import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import { basicHeader } from '../../src/registry/auth/token-service.ts';
import { FakeRegistry, sendError } from '../support/registry/fake-registry.ts';
import { startProxy } from '../support/registry/proxy.ts';
import { makeCertificate, TEST_USER } from '../support/registry/registry.ts';
import { authEntry, type ConfigHost, configHost } from '../support/registry/registry-config.ts';

const HOSTS = ['registry.example', 'registry-1.docker.io', 'auth.docker.io'];

let folder: string;
let tls: { cert: Buffer; key: Buffer };
let certificatePath: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocits-tls-'));
  const made = await makeCertificate(folder, 'registry', HOSTS);
  certificatePath = made.certificatePath;
  tls = { cert: await readFile(made.certificatePath), key: await readFile(made.keyPath) };
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

function useProxy(url: string): void {
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy']) vi.stubEnv(name, url);
  for (const name of ['NO_PROXY', 'no_proxy']) vi.stubEnv(name, '');
}

function portOf(fake: FakeRegistry): number {
  return Number(new URL(fake.url).port);
}

async function trust(host: ConfigHost, name: string): Promise<void> {
  await host.write(`etc/containers/certs.d/${name}/ca.crt`, tls.cert.toString());
}

const resolve = (host: ConfigHost, name: string) =>
  host.registry().repository(parseReference(name)).resolve('1');

describe('certificates', () => {
  test('an unknown authority is refused, and what to do is said', async () => {
    await using fake = await FakeRegistry.start(tls);
    await using proxy = await startProxy({ 'registry.example:443': portOf(fake) });
    useProxy(proxy.url);
    await using host = await configHost();
    await expect(resolve(host, 'registry.example/a:1')).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('not trusted'),
      hint: expect.stringContaining('/etc/containers/certs.d/registry.example/ca.crt'),
    });
    expect(fake.requests).toEqual([]);
  });

  test.each(['etc/containers/certs.d', 'etc/docker/certs.d', 'home/.config/containers/certs.d'])(
    'an authority in %s is trusted, for its registry alone',
    async (place) => {
      await using fake = await FakeRegistry.start(tls);
      const { digest } = fake.addManifest('1', { schemaVersion: 2 });
      const port = portOf(fake);
      await using proxy = await startProxy({
        'registry.example:443': port,
        'registry-1.docker.io:443': port,
      });
      useProxy(proxy.url);
      await using host = await configHost();
      await host.write(`${place}/registry.example/ca.crt`, tls.cert.toString());
      expect((await resolve(host, 'registry.example/a:1')).digest).toBe(digest);
      await expect(resolve(host, 'docker.io/a/b:1')).rejects.toMatchObject({ code: 'network' });
    },
  );

  test('an authority that the system trusts is trusted', async () => {
    await using fake = await FakeRegistry.start(tls);
    const { digest } = fake.addManifest('1', { schemaVersion: 2 });
    await using proxy = await startProxy({ 'registry.example:443': portOf(fake) });
    useProxy(proxy.url);
    await using host = await configHost();
    // Node reads the system's authorities once a process, so this test has one of its own.
    const { runTool } = await import('../../src/system/process/spawn.ts');
    const script = `
      import { createRegistry } from ${JSON.stringify(join(import.meta.dirname, '../../src/registry/client/registry.ts'))};
      import { openCall } from ${JSON.stringify(join(import.meta.dirname, '../../src/call.ts'))};
      import { parseReference } from ${JSON.stringify(join(import.meta.dirname, '../../src/oci/reference.ts'))};
      const registry = createRegistry({ folders: ${JSON.stringify(host.folders)} });
      const client = registry.repository(parseReference('registry.example/a:1'));
      console.log((await client.resolve('1', openCall('test'))).digest);`;
    const env = { ...process.env, SSL_CERT_FILE: certificatePath, SSL_CERT_DIR: '/nonexistent' };
    const { stdout } = await runTool(process.execPath, ['--input-type=module', '-e', script], { env });
    expect(stdout.toString().trim()).toBe(digest);
  });

  test('a client certificate is shown where the registry wants one', async () => {
    const { createServer } = await import('node:https');
    const server = createServer(
      { ...tls, ca: tls.cert, requestCert: true, rejectUnauthorized: true },
      (_, response) => sendError(response, 404, 'MANIFEST_UNKNOWN'),
    );
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    await using proxy = await startProxy({ 'registry.example:443': port });
    useProxy(proxy.url);
    await using host = await configHost();
    await trust(host, 'registry.example');
    await expect(resolve(host, 'registry.example/a:1')).rejects.toMatchObject({ code: 'network' });
    await host.write('etc/containers/certs.d/registry.example/client.cert', tls.cert.toString());
    await expect(resolve(host, 'registry.example/a:1')).rejects.toMatchObject({ code: 'invalid-config' });
    await host.write('etc/containers/certs.d/registry.example/client.key', tls.key.toString());
    await expect(resolve(host, 'registry.example/a:1')).rejects.toMatchObject({ code: 'not-found' });
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });

  test('insecure: an unknown authority will do, and plain http, too', async () => {
    await using secret = await FakeRegistry.start(tls);
    await using plain = await FakeRegistry.start();
    const { digest } = secret.addManifest('1', { schemaVersion: 2 });
    plain.addManifest('1', { schemaVersion: 2 });
    await using proxy = await startProxy({
      'registry.example:443': portOf(secret),
      'plain.example:5000': portOf(plain),
    });
    useProxy(proxy.url);
    await using host = await configHost();
    await host.write(
      'etc/containers/registries.conf',
      '[[registry]]\nlocation = "registry.example"\ninsecure = true\n[[registry]]\nlocation = "plain.example:5000"\ninsecure = true\n',
    );
    expect((await resolve(host, 'registry.example/a:1')).digest).toBe(digest);
    expect((await resolve(host, 'plain.example:5000/a:1')).digest).toBe(digest);
  });

  test('plain http is not spoken to a registry that is not insecure', async () => {
    await using plain = await FakeRegistry.start();
    plain.addManifest('1', { schemaVersion: 2 });
    await using proxy = await startProxy({
      'plain.example:5000': portOf(plain),
      'plain.example:80': portOf(plain),
    });
    useProxy(proxy.url);
    await using host = await configHost();
    await expect(resolve(host, 'plain.example:5000/a:1')).rejects.toMatchObject({
      code: 'network',
      hint: expect.stringContaining('insecure = true'),
    });
    expect(plain.requests).toEqual([]);
  });
});

describe('proxies', () => {
  test('what is on this machine is not asked of a proxy', async () => {
    await using fake = await FakeRegistry.start();
    fake.addManifest('1', { schemaVersion: 2 });
    await using proxy = await startProxy({});
    useProxy(proxy.url);
    await using host = await configHost();
    await resolve(host, `${fake.host}/a:1`);
    expect(proxy.requests).toEqual([]);
  });

  test('NO_PROXY keeps a host from the proxy', async () => {
    await using proxy = await startProxy({});
    useProxy(proxy.url);
    vi.stubEnv('NO_PROXY', 'registry.invalid');
    await using host = await configHost();
    await expect(resolve(host, 'registry.invalid/a:1')).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('there is no host registry.invalid'),
    });
    expect(proxy.requests).toEqual([]);
  });
});

describe('Docker Hub', () => {
  test('its token service is another host: by https it gets the credentials, and the scope asked for', async () => {
    await using hub = await FakeRegistry.start(tls);
    await using auth = await FakeRegistry.start(tls);
    const { digest } = hub.addManifest('1', { schemaVersion: 2 });
    auth.on('GET', /^\/token/, ({ response }) => void response.end(JSON.stringify({ token: 'good' })));
    hub.on('HEAD', /manifests/, async ({ request, response, serve }) => {
      if (request.headers.authorization === 'Bearer good') return await serve();
      const asked =
        'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:other/private:push"';
      sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': asked });
    });
    await using proxy = await startProxy({
      'registry-1.docker.io:443': portOf(hub),
      'auth.docker.io:443': portOf(auth),
    });
    useProxy(proxy.url);
    await using host = await configHost();
    await trust(host, 'registry-1.docker.io');
    await trust(host, 'auth.docker.io');
    await host.write('home/.docker/config.json', {
      auths: { 'https://index.docker.io/v1/': authEntry(TEST_USER) },
    });
    expect((await resolve(host, 'node:1')).digest).toBe(digest);
    expect(auth.requests.map(({ path }) => path)).toEqual([
      '/token?service=registry.docker.io&scope=repository%3Alibrary%2Fnode%3Apull&account=alice',
    ]);
    expect(auth.requests[0]?.headers.authorization).toBe(basicHeader(TEST_USER));
    for (const { headers } of hub.requests)
      expect(headers.authorization ?? 'Bearer good').toBe('Bearer good');
  });

  test('a token service by plain http gets no credentials, whoever names it', async () => {
    await using hub = await FakeRegistry.start(tls);
    await using auth = await FakeRegistry.start();
    auth.on('GET', /^\/token/, ({ response }) => sendError(response, 401, 'UNAUTHORIZED'));
    hub.on('HEAD', /manifests/, ({ response }) =>
      sendError(response, 401, 'UNAUTHORIZED', {
        'www-authenticate': 'Bearer realm="http://auth.docker.io/token"',
      }),
    );
    await using proxy = await startProxy({
      'registry-1.docker.io:443': portOf(hub),
      'auth.docker.io:80': portOf(auth),
    });
    useProxy(proxy.url);
    await using host = await configHost();
    await trust(host, 'registry-1.docker.io');
    await host.write('home/.docker/config.json', { auths: { 'docker.io': authEntry(TEST_USER) } });
    await expect(resolve(host, 'node:1')).rejects.toMatchObject({ code: 'unauthorized' });
    expect(auth.requests).toHaveLength(1);
    expect(auth.requests[0]?.headers.authorization).toBeUndefined();
    expect(auth.requests[0]?.path).not.toContain('alice');
    expect(host.events).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        text: expect.stringContaining('not sent to http://auth.docker.io'),
      }),
    );
  });

  test.each(['http://cdn.example/x', 'http://127.0.0.1:9/x'])(
    'a redirect from https to plain http elsewhere is not followed: %s',
    async (location) => {
      await using hub = await FakeRegistry.start(tls);
      const blob = hub.addBlob(Buffer.from('x'));
      hub.on('GET', /blobs/, ({ response }) => void response.writeHead(307, { location }).end());
      await using proxy = await startProxy({ 'registry-1.docker.io:443': portOf(hub) });
      useProxy(proxy.url);
      await using host = await configHost();
      await trust(host, 'registry-1.docker.io');
      const client = host.registry().repository(parseReference('node:1'));
      await expect(client.fetchBlob(blob, 0)).rejects.toMatchObject({ code: 'denied' });
      expect(proxy.requests).toEqual(['CONNECT registry-1.docker.io:443']);
    },
  );
});
