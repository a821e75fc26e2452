import { expect, test, vi } from 'vitest';
import { openCall } from '../../src/call.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { ProgressEvent } from '../../src/progress.ts';
import { FakeRegistry, sendError } from '../support/registry/fake-registry.ts';
import { configHost } from '../support/registry/registry-config.ts';

/** A registry that wants a token, which its service gives by `token`. */
async function withTokens(token: (request: number) => void | Promise<void>) {
  const fake = await FakeRegistry.start();
  const { digest } = fake.addManifest('1', { schemaVersion: 2 });
  let requests = 0;
  fake.on('GET', /^\/token/, async ({ response }) => {
    await token(++requests);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"token":"t"}');
  });
  fake.on('HEAD', /manifests/, async ({ request, response, serve }) => {
    if (request.headers.authorization === 'Bearer t') return await serve();
    const challenge = `Bearer realm="${fake.url}/token",service="s"`;
    sendError(response, 401, 'UNAUTHORIZED', { 'www-authenticate': challenge });
  });
  return { fake, digest, requests: () => requests };
}

test('a token that one call waits for is fetched anew where that call is ended', async () => {
  const asked = Promise.withResolvers<void>();
  const { fake, digest, requests } = await withTokens(async (request) => {
    if (request > 1) return;
    asked.resolve();
    await new Promise(() => {});
  });
  await using _fake = fake;
  await using host = await configHost();
  // What stalls is ended by the call alone.
  const client = host.registries({ stallMs: 60_000 }).repository(parseReference(`${fake.host}/a:1`));
  fake.on('HEAD', /manifests/, ({ serve }) => serve(), 1);
  // How the registry is spoken to is settled by now.
  await client.resolve('1', openCall('before'));
  const stop = new AbortController();
  const first = client.resolve('1', openCall('first', { signal: stop.signal }));
  await asked.promise;
  const second = client.resolve('1', openCall('second'));
  // The second one waits for the same token by then.
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await expect(first).rejects.toMatchObject({ code: 'aborted' });
  expect((await second).digest).toBe(digest);
  expect(requests()).toBe(2);
});

test('each call is told of its own requests', async () => {
  await using fake = await FakeRegistry.start();
  fake.addManifest('1', { schemaVersion: 2 });
  await using host = await configHost();
  const registry = host.registries();
  const told = async (kind: string) => {
    const events: ProgressEvent[] = [];
    const call = openCall(kind, { emit: (event) => void events.push(event) });
    fake.on('HEAD', /manifests/, ({ response }) => sendError(response, 503, 'BUSY'), 1);
    await registry.repository(parseReference(`${fake.host}/a:1`)).resolve('1', call);
    return { task: call.task, retries: events.filter(({ type }) => type === 'retry') };
  };
  for (const { task, retries } of [await told('first'), await told('second')]) {
    expect(retries).toEqual([expect.objectContaining({ task })]);
  }
});

test('a faulty configuration that was put right is read again', async () => {
  await using fake = await FakeRegistry.start();
  const { digest } = fake.addManifest('1', { schemaVersion: 2 });
  await using host = await configHost();
  await host.write('etc/containers/registries.conf', '[[registry]]\nlocation = 5\n');
  const client = host.registry().repository(parseReference('example.com/a:1'));
  await expect(client.resolve('1')).rejects.toMatchObject({ code: 'invalid-config' });
  await host.write(
    'etc/containers/registries.conf',
    `[[registry]]\nprefix = "example.com"\nlocation = "${fake.host}"\n`,
  );
  expect((await client.resolve('1')).digest).toBe(digest);
});

test('credentials that could not be read are looked for again', async () => {
  const { fake, digest } = await withTokens(() => {});
  await using _fake = fake;
  await using host = await configHost();
  await host.write('home/.docker/config.json', '{');
  const client = host.registry().repository(parseReference(`${fake.host}/a:1`));
  await expect(client.resolve('1')).rejects.toMatchObject({ code: 'invalid-config' });
  await host.write('home/.docker/config.json', {});
  expect((await client.resolve('1')).digest).toBe(digest);
});

test('a mirror that has failed is asked again after a while', async () => {
  await using mirror = await FakeRegistry.start();
  await using own = await FakeRegistry.start();
  const { digest } = own.addManifest('1', { schemaVersion: 2 });
  await using host = await configHost();
  await host.write(
    'etc/containers/registries.conf',
    `[[registry]]\nprefix = "example.com"\nlocation = "${own.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"\n`,
  );
  const client = host.registry().repository(parseReference('example.com/a:1'));
  await client.resolve('1');
  await client.resolve('1');
  expect(mirror.requests).toHaveLength(1);
  vi.useFakeTimers({ toFake: ['performance'], now: 0 });
  try {
    vi.advanceTimersByTime(10 * 60_000);
    expect((await client.resolve('1')).digest).toBe(digest);
    expect(mirror.requests).toHaveLength(2);
  } finally {
    vi.useRealTimers();
  }
});
