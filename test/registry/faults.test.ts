import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { DOCKER_MANIFEST, OCI_INDEX } from '../../src/oci/media-types.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { RepositoryClient } from '../../src/registry/registry-client.ts';
import { parseRetryAfter } from '../../src/registry/retry.ts';
import { FakeRegistry, sendError } from '../support/fake-registry.ts';
import { type ConfigHost, configHost } from '../support/registry-config.ts';

const MIB = 1024 * 1024;

async function fetchAll(client: RepositoryClient, blob: Descriptor, offset = 0, signal?: AbortSignal) {
  const { body, resumed } = await client.fetchBlob(blob, offset, signal);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return { content: Buffer.concat(chunks), resumed };
}

async function setUp(): Promise<
  AsyncDisposable & { fake: FakeRegistry; host: ConfigHost; client: RepositoryClient }
> {
  const fake = await FakeRegistry.start();
  const host = await configHost();
  return {
    fake,
    host,
    client: host.registry().repository(parseReference(`${fake.host}/a/b:1`)),
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await fake[Symbol.asyncDispose]();
    },
  };
}

describe('a body that does not arrive', () => {
  test('a dropped body goes on from where it stopped: no byte is sent twice', async () => {
    await using world = await setUp();
    const { fake, client } = world;
    const content = randomBytes(3 * MIB);
    const blob = fake.addBlob(content);
    fake.on('GET', /blobs/, ({ serve }) => serve({ after: MIB / 2, how: 'drop' }), 4);
    expect((await fetchAll(client, blob)).content.equals(content)).toBe(true);
    const requests = fake.seen('GET', /blobs/);
    expect(requests).toHaveLength(5);
    expect(requests.map(({ headers }) => headers.range)).toEqual([
      undefined,
      ...Array(4).fill(expect.any(String)),
    ]);
    // What was in flight when a connection dropped may be lost.
    expect(fake.sentBytes(/blobs/)).toBeLessThanOrEqual(content.length + 4 * (MIB / 2));
    const starts = requests.map(({ headers }) => Number(/\d+/.exec(headers.range ?? '0')?.[0]));
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(world.host.events.filter(({ type }) => type === 'retry')).toHaveLength(4);
  });

  test('a stalled body is given up and continued', async () => {
    await using world = await setUp();
    const content = randomBytes(MIB);
    const blob = world.fake.addBlob(content);
    world.fake.on('GET', /blobs/, ({ serve }) => serve({ after: MIB / 4, how: 'stall' }), 1);
    expect((await fetchAll(world.client, blob)).content.equals(content)).toBe(true);
    expect(world.host.events).toContainEqual(
      expect.objectContaining({ type: 'retry', reason: expect.stringContaining('sent nothing for') }),
    );
  });

  test('as long as it gets on it is continued, more often than a request is tried', async () => {
    await using world = await setUp();
    const content = randomBytes(MIB);
    const blob = world.fake.addBlob(content);
    world.fake.on('GET', /blobs/, ({ serve }) => serve({ after: 64 * 1024, how: 'drop' }), 12);
    expect((await fetchAll(world.client, blob)).content.equals(content)).toBe(true);
  });

  test('without progress it ends', async () => {
    await using world = await setUp();
    const blob = world.fake.addBlob(randomBytes(MIB));
    world.fake.on('GET', /blobs/, ({ serve }) => serve({ after: 0, how: 'drop' }));
    await expect(fetchAll(world.client, blob)).rejects.toMatchObject({ code: 'network' });
    expect(world.fake.seen('GET', /blobs/).length).toBeLessThanOrEqual(8);
  });

  test('a source that cannot continue begins anew, and what was passed on is left out', async () => {
    await using world = await setUp();
    const content = randomBytes(MIB);
    const blob = world.fake.addBlob(content);
    world.fake.on('GET', /blobs/, ({ serve }) => serve({ ignoreRange: true }));
    world.fake.on('GET', /blobs/, ({ serve }) => serve({ after: MIB / 2, how: 'drop' }), 1);
    expect((await fetchAll(world.client, blob)).content.equals(content)).toBe(true);
  });
});

describe('from an offset', () => {
  test('only the rest is sent', async () => {
    await using world = await setUp();
    const content = randomBytes(1000);
    const blob = world.fake.addBlob(content);
    const { content: rest, resumed } = await fetchAll(world.client, blob, 900);
    expect(resumed).toBe(true);
    expect(rest.equals(content.subarray(900))).toBe(true);
    expect(world.fake.sentBytes(/blobs/)).toBe(100);
  });

  test('a source that cannot says so', async () => {
    await using world = await setUp();
    const content = randomBytes(1000);
    const blob = world.fake.addBlob(content);
    world.fake.on('GET', /blobs/, ({ serve }) => serve({ ignoreRange: true }));
    const { content: all, resumed } = await fetchAll(world.client, blob, 900);
    expect(resumed).toBe(false);
    expect(all.equals(content)).toBe(true);
  });

  test('an offset that the source does not have (416) begins at 0', async () => {
    await using world = await setUp();
    const content = randomBytes(1000);
    const blob = { ...world.fake.addBlob(content) };
    const { content: all, resumed } = await fetchAll(world.client, blob, 1000);
    expect(resumed).toBe(false);
    expect(all.equals(content)).toBe(true);
  });

  test('another range than the one asked for is an error', async () => {
    await using world = await setUp();
    const blob = world.fake.addBlob(randomBytes(1000));
    world.fake.on('GET', /blobs/, ({ serve }) =>
      serve({ headers: { 'content-range': 'bytes 950-999/1000' } }),
    );
    await expect(fetchAll(world.client, blob, 900)).rejects.toMatchObject({ code: 'network' });
  });
});

describe('sizes that lie', () => {
  test('more bytes than the descriptor says are refused before they are taken', async () => {
    await using world = await setUp();
    const blob = world.fake.addBlob(randomBytes(2000));
    await expect(fetchAll(world.client, { ...blob, size: 1000 })).rejects.toMatchObject({
      code: 'size-mismatch',
    });
  });

  test('the same without a length in the header', async () => {
    await using world = await setUp();
    world.fake.on('GET', /blobs/, ({ response }) => {
      response.writeHead(200);
      response.write(Buffer.alloc(2000));
      response.end();
    });
    const blob = { mediaType: 'x', digest: digestOf('x'), size: 1000 };
    await expect(fetchAll(world.client, blob)).rejects.toMatchObject({ code: 'size-mismatch' });
  });

  test('fewer bytes, and no more to come', async () => {
    await using world = await setUp();
    world.fake.on('GET', /blobs/, ({ response, request }) => {
      if (request.headers.range !== undefined) return sendError(response, 416, 'RANGE_INVALID');
      response.writeHead(200);
      response.end(Buffer.alloc(600));
    });
    const blob = { mediaType: 'x', digest: digestOf('x'), size: 1000 };
    await expect(fetchAll(world.client, blob)).rejects.toMatchObject({ code: 'size-mismatch' });
  });
});

describe('manifests', () => {
  test('what a tag points at, in one request', async () => {
    await using world = await setUp();
    const descriptor = world.fake.addManifest('1', { schemaVersion: 2, manifests: [] }, OCI_INDEX);
    expect(await world.client.resolve('1')).toEqual(descriptor);
    expect(world.fake.requests).toHaveLength(1);
    const { content } = await world.client.fetchManifest(descriptor.digest);
    expect(JSON.parse(content.toString())).toEqual({ schemaVersion: 2, manifests: [] });
  });

  test('a HEAD without a digest, or refused, is made up for by GET', async () => {
    await using world = await setUp();
    const descriptor = world.fake.addManifest('1', { schemaVersion: 2 }, DOCKER_MANIFEST);
    world.fake.on('HEAD', /manifests/, ({ response }) => void response.writeHead(200).end(), 1);
    expect(await world.client.resolve('1')).toEqual(descriptor);
    world.fake.on('HEAD', /manifests/, ({ response }) => void response.writeHead(405).end(), 1);
    expect(await world.client.resolve('1')).toEqual(descriptor);
  });

  test('content that does not have the digest asked for', async () => {
    await using world = await setUp();
    const { digest } = world.fake.addManifest('1', { schemaVersion: 2 });
    const flip = (body: Buffer) => Buffer.from(body.toString().replace('2', '3'));
    world.fake.on('GET', /manifests/, ({ serve }) => serve({ change: flip }));
    await expect(world.client.fetchManifest(digest)).rejects.toMatchObject({ code: 'digest-mismatch' });
    await expect(world.client.fetchManifest('1')).rejects.toMatchObject({ code: 'digest-mismatch' });
  });

  test('another digest than the one asked for', async () => {
    await using world = await setUp();
    const { digest } = world.fake.addManifest('1', { schemaVersion: 2 });
    const headers = { 'docker-content-digest': digestOf('other') };
    world.fake.on('HEAD', /manifests/, ({ serve }) => serve({ headers }));
    await expect(world.client.resolve(digest)).rejects.toMatchObject({ code: 'digest-mismatch' });
  });

  test.each([
    ['announced', true],
    ['endless', false],
  ])('a giant one is refused: %s', async (_what, announced) => {
    await using world = await setUp();
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
    await using world = await setUp();
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
    await using world = await setUp();
    world.fake.on('GET', /manifests/, ({ response }) => sendError(response, status, 'SOME_CODE'));
    await expect(world.client.fetchManifest('1')).rejects.toMatchObject({
      code,
      message: expect.stringContaining('SOME_CODE: some code'),
    });
    expect(world.fake.requests).toHaveLength(1);
  });

  test('it ends after a few attempts, with what the registry said', async () => {
    await using world = await setUp();
    world.fake.on('GET', /manifests/, ({ response }) => sendError(response, 503, 'TOOMANYREQUESTS'));
    await expect(world.client.fetchManifest('1')).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('TOOMANYREQUESTS'),
    });
    expect(world.fake.requests).toHaveLength(6);
  });

  test('Retry-After is kept to, and a long one is an error at once', async () => {
    await using world = await setUp();
    const { digest } = world.fake.addManifest('1', { schemaVersion: 2 });
    const limited = (seconds: string) =>
      world.fake.on(
        'HEAD',
        /manifests/,
        ({ response }) => sendError(response, 429, 'LIMIT', { 'retry-after': seconds }),
        1,
      );
    limited('1');
    const started = performance.now();
    expect((await world.client.resolve('1')).digest).toBe(digest);
    expect(performance.now() - started).toBeGreaterThan(950);
    limited('3600');
    await expect(world.client.resolve('1')).rejects.toMatchObject({ code: 'rate-limited' });
  });

  test('what a registry says cannot write on the terminal, and is not endless', async () => {
    await using world = await setUp();
    world.fake.on('GET', /manifests/, ({ response }) => {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errors: [{ code: 'A\u001b[2J', message: `b\n${'c'.repeat(10_000)}` }] }));
    });
    const error = (await world.client.fetchManifest('1').catch((e: unknown) => e)) as Error;
    expect(error.message).not.toMatch(/[\x00-\x1f]/);
    expect(error.message.length).toBeLessThan(700);
  });

  test('redirects that never end', async () => {
    await using world = await setUp();
    world.fake.on('GET', /manifests/, ({ response, request }) => {
      response.writeHead(302, { location: request.url ?? '' }).end();
    });
    await expect(world.client.fetchManifest('1')).rejects.toMatchObject({ code: 'network' });
    expect(world.fake.requests.length).toBeLessThan(10);
  });

  test.each(['', 'file:///etc/passwd', 'http://user:pw@127.0.0.1/'])('the Location %j', async (location) => {
    await using world = await setUp();
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
    const started = performance.now();
    await expect(client.resolve('1')).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining(`127.0.0.1:${port} refuses the connection`),
      hint: `is a registry running at 127.0.0.1:${port}?`,
    });
    expect(performance.now() - started).toBeLessThan(1000);
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
    host[Symbol.asyncDispose]();
    server.close();
  });
});

describe('the signal', () => {
  test.each(['waiting for an answer', 'within a body', 'between attempts'])('ends it %s', async (when) => {
    await using world = await setUp();
    const blob = world.fake.addBlob(randomBytes(MIB));
    const controller = new AbortController();
    world.fake.on('GET', /blobs/, async ({ response, serve }) => {
      setTimeout(() => controller.abort(), 30);
      if (when === 'within a body') return await serve({ after: 1000, how: 'stall' });
      if (when === 'between attempts') sendError(response, 429, 'LIMIT', { 'retry-after': '2' });
    });
    const started = performance.now();
    await expect(fetchAll(world.client, blob, 0, controller.signal)).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(performance.now() - started).toBeLessThan(350);
  });
});

describe('mirrors', () => {
  async function mirrored(): Promise<
    AsyncDisposable & { mirror: FakeRegistry; own: FakeRegistry; host: ConfigHost }
  > {
    const [mirror, own, host] = [await FakeRegistry.start(), await FakeRegistry.start(), await configHost()];
    await host.write(
      'etc/containers/registries.conf',
      `[[registry]]\nprefix = "example.com"\nlocation = "${own.host}/there"\n[[registry.mirror]]\nlocation = "${mirror.host}/here"\n`,
    );
    return {
      mirror,
      own,
      host,
      async [Symbol.asyncDispose]() {
        await host[Symbol.asyncDispose]();
        await mirror[Symbol.asyncDispose]();
        await own[Symbol.asyncDispose]();
      },
    };
  }

  test('the mirror is asked, and where it has the image nobody else', async () => {
    await using world = await mirrored();
    const { digest } = world.mirror.addManifest('1', { schemaVersion: 2 });
    const client = world.host.registry().repository(parseReference('example.com/a:1'));
    expect((await client.resolve('1')).digest).toBe(digest);
    expect(world.mirror.requests.map(({ path }) => path)).toEqual(['/v2/here/a/manifests/1']);
    expect(world.own.requests).toEqual([]);
  });

  test('a mirror without the image is passed over, and not asked again', async () => {
    await using world = await mirrored();
    const { digest } = world.own.addManifest('1', { schemaVersion: 2 });
    const client = world.host.registry().repository(parseReference('example.com/a:1'));
    expect((await client.resolve('1')).digest).toBe(digest);
    await client.fetchManifest(digest);
    expect(world.mirror.requests).toHaveLength(1);
    expect(world.own.requests.map(({ path }) => path)).toEqual([
      '/v2/there/a/manifests/1',
      `/v2/there/a/manifests/${digest}`,
    ]);
  });

  test('a mirror that cannot be reached costs little, and all failures are told', async () => {
    await using world = await mirrored();
    const mirrorHost = world.mirror.host;
    await world.mirror[Symbol.asyncDispose]();
    const client = world.host.registry().repository(parseReference('example.com/a:1'));
    await expect(client.resolve('1')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(`${mirrorHost} refuses the connection`),
    });
  });

  test('a mirror whose content is wrong is not trusted any more', async () => {
    await using world = await mirrored();
    const content = randomBytes(1000);
    const blob = world.own.addBlob(content);
    world.mirror.addBlob(content);
    const zero = () => Buffer.alloc(1000);
    world.mirror.on('GET', /blobs/, ({ serve }) => serve({ change: zero }));
    const client = world.host.registry().repository(parseReference('example.com/a:1'));
    const first = await client.fetchBlob(blob, 0);
    for await (const chunk of first.body) expect(chunk.every((byte) => byte === 0)).toBe(true);
    expect(first.distrust()).toBe(true);
    const second = await client.fetchBlob(blob, 0);
    for await (const chunk of second.body) expect(content.equals(chunk)).toBe(true);
    expect(second.distrust()).toBe(false);
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
