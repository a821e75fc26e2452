import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { DOCKER_MANIFEST, OCI_INDEX } from '../../src/oci/media-types.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { parseRetryAfter } from '../../src/registry/http/retry.ts';
import { sendError } from '../support/registry/fake-registry.ts';
import { fakeRepository } from '../support/registry/fake-repository.ts';
import { configHost } from '../support/registry/registry-config.ts';

const MIB = 1024 * 1024;

describe('manifests', () => {
  test('what a tag points at, in one request', async () => {
    await using world = await fakeRepository();
    const descriptor = world.fake.addManifest('1', { schemaVersion: 2, manifests: [] }, OCI_INDEX);
    expect(await world.client.resolve('1')).toEqual(descriptor);
    expect(world.fake.requests).toHaveLength(1);
    const { content } = await world.client.fetchManifest(descriptor.digest);
    expect(JSON.parse(content.toString())).toEqual({ schemaVersion: 2, manifests: [] });
  });

  test('a HEAD without a digest, or refused, is made up for by GET', async () => {
    await using world = await fakeRepository();
    const descriptor = world.fake.addManifest('1', { schemaVersion: 2 }, DOCKER_MANIFEST);
    world.fake.on('HEAD', /manifests/, ({ response }) => void response.writeHead(200).end(), 1);
    expect(await world.client.resolve('1')).toEqual(descriptor);
    world.fake.on('HEAD', /manifests/, ({ response }) => void response.writeHead(405).end(), 1);
    expect(await world.client.resolve('1')).toEqual(descriptor);
  });

  test('content that does not have the digest asked for', async () => {
    await using world = await fakeRepository();
    const { digest } = world.fake.addManifest('1', { schemaVersion: 2 });
    const flip = (body: Buffer) => Buffer.from(body.toString().replace('2', '3'));
    world.fake.on('GET', /manifests/, ({ serve }) => serve({ change: flip }));
    await expect(world.client.fetchManifest(digest)).rejects.toMatchObject({ code: 'digest-mismatch' });
    await expect(world.client.fetchManifest('1')).rejects.toMatchObject({ code: 'digest-mismatch' });
  });

  test('another digest than the one asked for', async () => {
    await using world = await fakeRepository();
    const { digest } = world.fake.addManifest('1', { schemaVersion: 2 });
    const headers = { 'docker-content-digest': digestOf('other') };
    world.fake.on('HEAD', /manifests/, ({ serve }) => serve({ headers }));
    await expect(world.client.resolve(digest)).rejects.toMatchObject({ code: 'digest-mismatch' });
  });

  test.each([
    ['announced', true],
    ['endless', false],
  ])('a giant one is refused: %s', async (_what, announced) => {
    await using world = await fakeRepository();
    world.fake.on('GET', /manifests/, async ({ response, seen }) => {
      response.writeHead(200, announced ? { 'content-length': 100 * MIB } : {});
      for (let sent = 0; sent < 100 && !response.destroyed; sent++) {
        seen.sentBytes += MIB;
        if (!response.write(Buffer.alloc(MIB))) {
          await new Promise((resolve) => {
            response.once('drain', resolve).once('close', resolve);
          });
        }
      }
      response.end();
    });
    await expect(world.client.fetchManifest('1')).rejects.toMatchObject({ code: 'hostile' });
    expect(world.fake.sentBytes(/manifests/)).toBeLessThan(20 * MIB);
  });
});

describe('answers of a registry in trouble', () => {
  test.each([408, 429, 500, 502, 503, 504])('%i passes', async (status) => {
    await using world = await fakeRepository();
    const { digest } = world.fake.addManifest('1', { schemaVersion: 2 });
    world.fake.on('HEAD', /manifests/, ({ response }) => sendError(response, status, 'UNAVAILABLE'), 3);
    expect((await world.client.resolve('1')).digest).toBe(digest);
    expect(world.host.events.filter(({ type }) => type === 'retry')).toHaveLength(3);
  });

  test.each([
    [400, 'network'],
    [401, 'unauthorized'],
    [403, 'denied'],
    [404, 'not-found'],
    [418, 'network'],
  ])('%i is final: %s', async (status, code) => {
    await using world = await fakeRepository();
    world.fake.on('GET', /manifests/, ({ response }) => sendError(response, status, 'SOME_CODE'));
    await expect(world.client.fetchManifest('1')).rejects.toMatchObject({
      code,
      message: expect.stringContaining('SOME_CODE: some code'),
    });
    expect(world.fake.requests).toHaveLength(1);
  });

  test('it ends after a few attempts, with what the registry said', async () => {
    await using world = await fakeRepository();
    world.fake.on('GET', /manifests/, ({ response }) => sendError(response, 503, 'TOOMANYREQUESTS'));
    await expect(world.client.fetchManifest('1')).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('TOOMANYREQUESTS'),
    });
    expect(world.fake.requests).toHaveLength(6);
  });

  test('Retry-After is kept to, and a long one is an error at once', async () => {
    await using world = await fakeRepository();
    const { digest } = world.fake.addManifest('1', { schemaVersion: 2 });
    const limited = (seconds: string, times: number) =>
      world.fake.on(
        'HEAD',
        /manifests/,
        ({ response }) => sendError(response, 429, 'LIMIT', { 'retry-after': seconds }),
        times,
      );
    limited('1', 1);
    const started = performance.now();
    expect((await world.client.resolve('1')).digest).toBe(digest);
    expect(performance.now() - started).toBeGreaterThan(950);
    // A connection that was kept alive may be gone by now, and the request be sent again.
    limited('3600', 3);
    await expect(world.client.resolve('1')).rejects.toMatchObject({ code: 'rate-limited' });
  });

  test('what a registry says cannot write on the terminal, and is not endless', async () => {
    await using world = await fakeRepository();
    world.fake.on('GET', /manifests/, ({ response }) => {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'A\u001b[2J', message: `b\n${'c'.repeat(10_000)}` }] }));
    });
    const error = (await world.client.fetchManifest('1').catch((e: unknown) => e)) as Error;
    expect(error.message).not.toMatch(/[\x00-\x1f]/);
    expect(error.message.length).toBeLessThan(700);
  });

  test('redirects that never end', async () => {
    await using world = await fakeRepository();
    world.fake.on('GET', /manifests/, ({ response, request }) => {
      response.writeHead(302, { location: request.url ?? '' }).end();
    });
    await expect(world.client.fetchManifest('1')).rejects.toMatchObject({ code: 'network' });
    expect(world.fake.requests.length).toBeLessThan(10);
  });

  test.each(['', 'file:///etc/passwd', 'http://user:pw@127.0.0.1/'])('the Location %j', async (location) => {
    await using world = await fakeRepository();
    world.fake.on('GET', /manifests/, ({ response }) => void response.writeHead(302, { location }).end());
    await expect(world.client.fetchManifest('1')).rejects.toMatchObject({ code: 'hostile' });
  });
});

describe('no registry', () => {
  test('nothing listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    await using host = await configHost();
    const client = host.registry().repository(parseReference(`127.0.0.1:${port}/a:1`));
    await expect(client.resolve('1')).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining(`127.0.0.1:${port} refuses the connection`),
      hint: `is a registry running at 127.0.0.1:${port}?`,
    });
    expect(host.events.filter(({ type }) => type === 'retry')).toEqual([]);
  });

  test('a host without a name', async () => {
    await using host = await configHost();
    const client = host.registry().repository(parseReference('no-such-host.invalid/a:1'));
    await expect(client.resolve('1')).rejects.toMatchObject({
      code: 'network',
      hint: 'check the name of the registry, and the network',
    });
  });

  test('a server that accepts and says nothing', async () => {
    const server = createServer((socket) => void socket.on('error', () => {}));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await using host = await configHost();
    const client = host
      .registry({ stallMs: 50, attempts: 2 })
      .repository(parseReference(`127.0.0.1:${port}/a:1`));
    await expect(client.resolve('1')).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('sent nothing for'),
    });
    server.close();
  });
});

test('Retry-After as seconds and as a date', () => {
  const now = Date.parse('2024-01-01T00:00:00Z');
  expect(parseRetryAfter('3', now)).toBe(3000);
  expect(parseRetryAfter('Mon, 01 Jan 2024 00:00:10 GMT', now)).toBe(10_000);
  expect(parseRetryAfter('Sun, 31 Dec 2023 00:00:00 GMT', now)).toBe(0);
  expect(parseRetryAfter('soon', now)).toBeUndefined();
  expect(parseRetryAfter(undefined, now)).toBeUndefined();
});
