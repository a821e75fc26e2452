import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { BlobUpload } from '../../src/registry/registry-client.ts';
import { sendError } from '../support/registry/fake-registry.ts';
import { fakeRepository, fetchAll } from '../support/registry/fake-repository.ts';
import { startRegistry } from '../support/registry/registry.ts';
import { configHost } from '../support/registry/registry-config.ts';

const MIB = 1024 * 1024;

function upload(content: Buffer, more: Partial<BlobUpload> = {}): BlobUpload & { opened: () => number } {
  let opened = 0;
  return {
    digest: digestOf(content),
    sizeBytes: content.length,
    open: async () => {
      opened++;
      return Readable.from(pieces(content));
    },
    opened: () => opened,
    ...more,
  };
}

function* pieces(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += 64 * 1024) yield content.subarray(at, at + 64 * 1024);
}

/** In four parts, each when it is asked for, and its digest after the last one. */
function making(content: Buffer) {
  const { promise: digest, resolve } = Promise.withResolvers<Digest>();
  const quarter = Math.ceil(content.length / 4);
  async function* parts() {
    for (let part = 0; part < 4; part++) yield content.subarray(part * quarter, (part + 1) * quarter);
    resolve(digestOf(content));
  }
  return { content: Readable.from(parts()), digest, resolve };
}

describe('to a real registry', () => {
  test('once; then it is there; then another repository mounts it', async () => {
    await using server = await startRegistry();
    await using host = await configHost();
    const registry = host.registry();
    const at = (path: string) => ({ domain: server.host, path });
    const content = randomBytes(3 * MIB);
    const seen: number[] = [];
    const blob = upload(content, { onBytes: (sent) => seen.push(sent) });
    const client = registry.repository(parseReference(`${server.host}/a/one:1`));
    expect(await client.uploadBlob(blob)).toEqual({ state: 'uploaded' });
    expect(seen.at(-1)).toBe(content.length);
    expect(await client.uploadBlob(blob)).toEqual({ state: 'exists' });
    const descriptor = { mediaType: 'x', digest: blob.digest, size: content.length };
    expect((await fetchAll(client, descriptor)).content.equals(content)).toBe(true);
    const other = registry.repository(parseReference(`${server.host}/a/two:1`));
    expect(await other.uploadBlob({ ...blob, mountFrom: [at('no/such'), at('a/one')] })).toEqual({
      state: 'mounted',
      from: 'a/one',
    });
    const third = registry.repository(parseReference(`${server.host}/a/three:1`));
    const fresh = upload(randomBytes(1000), { mountFrom: [at('a/one'), at('a/two')] });
    expect(await third.uploadBlob(fresh)).toEqual({ state: 'uploaded' });
  });

  test('an empty blob, and many at once', async () => {
    await using server = await startRegistry();
    await using host = await configHost();
    const client = host.registry().repository(parseReference(`${server.host}/a/b:1`));
    const blobs = [Buffer.alloc(0), ...Array.from({ length: 20 }, () => randomBytes(100_000))].map((c) =>
      upload(c),
    );
    const states = await Promise.all(blobs.map((blob) => client.uploadBlob(blob)));
    expect(states.every(({ state }) => state === 'uploaded')).toBe(true);
  });

  test('a manifest by tag and by digest; one that the registry refuses', async () => {
    await using server = await startRegistry();
    await using host = await configHost();
    const client = host.registry().repository(parseReference(`${server.host}/a/b:1`));
    const config = upload(Buffer.from('{}'));
    const layer = upload(randomBytes(100));
    await client.uploadBlob(config);
    await client.uploadBlob(layer);
    const describe = (blob: BlobUpload) => ({ mediaType: 'x/y', digest: blob.digest, size: blob.sizeBytes });
    const manifest = (layers: object[]) =>
      Buffer.from(
        JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: describe(config), layers }),
      );
    const good = manifest([describe(layer)]);
    expect(await client.putManifest('1', good, OCI_MANIFEST)).toBe(digestOf(good));
    expect(await client.putManifest(digestOf(good), good, OCI_MANIFEST)).toBe(digestOf(good));
    expect((await client.resolve('1')).digest).toBe(digestOf(good));
    const lacking = manifest([{ ...describe(layer), digest: digestOf('not there') }]);
    await expect(client.putManifest('2', lacking, OCI_MANIFEST)).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('MANIFEST_BLOB_UNKNOWN'),
    });
    await expect(client.putManifest(digestOf('x'), good, OCI_MANIFEST)).rejects.toMatchObject({
      code: 'digest-mismatch',
    });
  });
});

describe('a blob that is still being made', () => {
  test('is sent, and whole', async () => {
    await using server = await startRegistry();
    await using host = await configHost();
    const client = host.registry().repository(parseReference(`${server.host}/a/b:1`));
    const content = randomBytes(3 * MIB);
    const seen: number[] = [];
    const upload = { ...making(content), onBytes: (sent: number) => seen.push(sent) };
    expect(await client.streamBlob(upload)).toBe('uploaded');
    expect(seen.at(-1)).toBe(content.length);
    const descriptor = { mediaType: 'x', digest: digestOf(content), size: content.length };
    expect((await fetchAll(client, descriptor)).content.equals(content)).toBe(true);
  });

  test('is not sent to its end where the repository turns out to have it', async () => {
    await using world = await fakeRepository();
    const content = randomBytes(MIB);
    world.fake.blobs.set(digestOf(content), content);
    const endless = new Readable({ read() {} });
    endless.push(content);
    const digest = Promise.resolve(digestOf(content));
    expect(await world.client.streamBlob({ content: endless, digest })).toBe('exists');
    expect(endless.destroyed).toBe(true);
    expect(world.fake.seen('DELETE', /uploads/)).toHaveLength(1);
    expect(world.fake.seen('PUT', /uploads/)).toEqual([]);
  });

  test.each([
    ['POST', 403],
    ['PATCH', 401],
    ['PATCH', 413],
    ['PUT', 500],
  ])('fails without a fault where %s is answered with %i', async (method, status) => {
    await using world = await fakeRepository();
    world.fake.on(method, /uploads/, ({ request, response }) => {
      request.resume();
      sendError(response, status, 'DENIED');
    });
    const upload = making(randomBytes(MIB));
    // Whatever became of the bytes, the digest is known in the end.
    setTimeout(() => upload.resolve(digestOf('x')), 20);
    expect(await world.client.streamBlob(upload)).toBe('failed');
    expect(upload.content.destroyed).toBe(true);
  });

  test('may never come to be, after the registry has refused it', async () => {
    await using world = await fakeRepository();
    world.fake.on('POST', /uploads/, ({ response }) => sendError(response, 403, 'DENIED'));
    const { promise: digest, reject } = Promise.withResolvers<Digest>();
    expect(await world.client.streamBlob({ content: new Readable({ read() {} }), digest })).toBe('failed');
    reject(new Error('never'));
    await new Promise((resolve) => setImmediate(resolve));
  });

  test('fails with it', async () => {
    await using world = await fakeRepository();
    const content = new Readable({ read() {} });
    content.push(randomBytes(100_000));
    const { promise: digest, reject } = Promise.withResolvers<Digest>();
    setTimeout(() => {
      reject(new Error('never'));
      content.destroy(new Error('never'));
    }, 20);
    expect(await world.client.streamBlob({ content, digest })).toBe('failed');
    expect([...world.fake.blobs.keys()]).toEqual([]);
  });
});

describe('to a registry in trouble', () => {
  test('a connection that drops within the body: the upload begins anew', async () => {
    await using world = await fakeRepository();
    const content = randomBytes(2 * MIB);
    world.fake.on(
      'PUT',
      /uploads/,
      async ({ request }) => {
        for await (const _chunk of request) return void request.socket.destroy();
      },
      2,
    );
    const blob = upload(content);
    expect(await world.client.uploadBlob(blob)).toEqual({ state: 'uploaded' });
    expect(blob.opened()).toBe(3);
    expect(world.fake.blobs.get(blob.digest)?.equals(content)).toBe(true);
    expect(world.fake.seen('POST', /uploads/)).toHaveLength(3);
  });

  test.each([429, 500, 503])('%i in answer to any of its requests', async (status) => {
    await using world = await fakeRepository();
    for (const method of ['HEAD', 'POST', 'PUT']) {
      world.fake.on(
        method,
        /blobs/,
        ({ request, response }) => {
          request.resume();
          sendError(response, status, 'UNAVAILABLE');
        },
        1,
      );
    }
    const blob = upload(randomBytes(MIB));
    expect(await world.client.uploadBlob(blob)).toEqual({ state: 'uploaded' });
    expect(world.fake.blobs.has(blob.digest)).toBe(true);
  });

  test('an upload that the registry has forgotten begins anew', async () => {
    await using world = await fakeRepository();
    world.fake.on(
      'PUT',
      /uploads/,
      ({ request, response }) => {
        request.resume();
        sendError(response, 404, 'BLOB_UPLOAD_UNKNOWN');
      },
      1,
    );
    expect(await world.client.uploadBlob(upload(randomBytes(1000)))).toEqual({ state: 'uploaded' });
  });

  test('a token that expires before the body: the upload begins anew with a fresh one', async () => {
    await using world = await fakeRepository();
    let issued = 0;
    world.fake.on('GET', /^\/token/, ({ response }) => {
      response.end(JSON.stringify({ token: `t${++issued}` }));
    });
    const challenge = { 'www-authenticate': `Bearer realm="${world.fake.url}/token"` };
    world.fake.on('PUT', /uploads/, async ({ request, response, serve }) => {
      if (request.headers.authorization === 'Bearer t2') return await serve();
      request.resume();
      sendError(response, 401, 'UNAUTHORIZED', challenge);
    });
    world.fake.on('HEAD', /blobs/, async ({ request, response, serve }) => {
      if (request.headers.authorization !== undefined) return await serve();
      sendError(response, 401, 'UNAUTHORIZED', challenge);
    });
    expect(await world.client.uploadBlob(upload(randomBytes(1000)))).toEqual({ state: 'uploaded' });
    expect(issued).toBe(2);
  });

  test('a refusal is final, and what the registry says is told', async () => {
    await using world = await fakeRepository();
    world.fake.on('POST', /uploads/, ({ response }) => sendError(response, 403, 'DENIED'));
    const blob = upload(randomBytes(1000));
    await expect(world.client.uploadBlob(blob)).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('DENIED'),
    });
    expect(blob.opened()).toBe(0);
  });

  test('a registry that takes no large body gets it in chunks', async () => {
    await using world = await fakeRepository();
    const content = randomBytes(20 * MIB);
    world.fake.on(
      'PUT',
      /uploads/,
      ({ request, response }) => {
        request.resume();
        sendError(response, 413, 'SIZE_INVALID');
      },
      1,
    );
    const blob = upload(content);
    expect(await world.client.uploadBlob(blob)).toEqual({ state: 'uploaded' });
    expect(world.fake.blobs.get(blob.digest)?.equals(content)).toBe(true);
    expect(world.fake.seen('PATCH', /uploads/).map(({ headers }) => headers['content-range'])).toEqual([
      `0-${16 * MIB - 1}`,
      `${16 * MIB}-${20 * MIB - 1}`,
    ]);
  });

  test('a registry that wants chunks larger than memory is refused', async () => {
    await using world = await fakeRepository();
    world.fake.on('PUT', /uploads/, ({ request, response }) => {
      request.resume();
      sendError(response, 413, 'SIZE_INVALID');
    });
    world.fake.on('POST', /uploads/, async ({ response, serve }) => {
      response.setHeader('oci-chunk-min-length', String(10 ** 12));
      await serve();
    });
    const blob = upload(randomBytes(MIB));
    await expect(world.client.uploadBlob(blob)).rejects.toMatchObject({ code: 'unsupported' });
    expect(blob.opened()).toBe(1);
  });

  test('what the Location’s query says is kept', async () => {
    await using world = await fakeRepository();
    const blob = upload(randomBytes(10));
    await world.client.uploadBlob(blob);
    expect(world.fake.seen('PUT', /uploads/)[0]?.path).toBe(
      `/v2/a/b/blobs/uploads/1?state=x&digest=${encodeURIComponent(blob.digest)}`,
    );
  });

  test('a registry that stores another digest', async () => {
    await using world = await fakeRepository();
    world.fake.on('PUT', /manifests/, ({ request, response }) => {
      request.resume();
      response.writeHead(201, { 'docker-content-digest': digestOf('other') }).end();
    });
    await expect(world.client.putManifest('1', Buffer.from('{}'), OCI_MANIFEST)).rejects.toMatchObject({
      code: 'digest-mismatch',
    });
  });

  /** A registry that keeps what came before a cut, and says so. Cuts uploads when it has that much of them. */
  function keepingRegistry({ fake }: Awaited<ReturnType<typeof fakeRepository>>, cuts: number[]) {
    const kept: Buffer[] = [];
    const state = { received: 0, kept: () => Buffer.concat(kept) };
    const size = () => state.kept().length;
    const take = async (request: IncomingMessage): Promise<boolean> => {
      const [, start] = /^(\d+)-/.exec(request.headers['content-range'] ?? '') ?? [];
      if (start === undefined) kept.length = 0;
      else expect(Number(start)).toBe(size());
      for await (const chunk of request as AsyncIterable<Buffer>) {
        state.received += chunk.length;
        kept.push(chunk);
        if (size() < (cuts[0] ?? Number.POSITIVE_INFINITY)) continue;
        cuts.shift();
        request.socket.destroy();
        return false;
      }
      return true;
    };
    fake.on('GET', /uploads/, ({ response }) => {
      response
        .writeHead(204, { location: '/v2/a/b/blobs/uploads/1?state=y', range: `0-${size() - 1}` })
        .end();
    });
    fake.on('PATCH', /uploads/, async ({ request, response }) => {
      if (await take(request)) response.writeHead(202, { location: '/v2/a/b/blobs/uploads/1?state=z' }).end();
    });
    fake.on('PUT', /uploads/, async ({ request, response }) => {
      const isWhole = request.headers['content-length'] !== '0';
      if (isWhole && !(await take(request))) return;
      fake.blobs.set(digestOf(state.kept()), state.kept());
      response.writeHead(201).end();
    });
    return state;
  }

  test('a connection that drops three times: the upload goes on where it stopped', async () => {
    await using world = await fakeRepository();
    const content = randomBytes(8 * MIB);
    const registry = keepingRegistry(world, [3 * MIB, 5 * MIB, 7 * MIB]);
    const seen: number[] = [];
    const blob = upload(content, { onBytes: (bytes) => seen.push(bytes) });
    expect(await world.client.uploadBlob(blob)).toEqual({ state: 'uploaded' });
    expect(world.fake.blobs.get(blob.digest)?.equals(content)).toBe(true);
    expect(registry.received).toBe(content.length);
    expect(seen.at(-1)).toBe(content.length);
    expect(world.fake.seen('POST', /uploads/)).toHaveLength(1);
  });

  test('an upload whose end fails is not sent again', async () => {
    await using world = await fakeRepository();
    const content = randomBytes(2 * MIB);
    const registry = keepingRegistry(world, [content.length]);
    const blob = upload(content);
    expect(await world.client.uploadBlob(blob)).toEqual({ state: 'uploaded' });
    expect(registry.received).toBe(content.length);
    world.fake.on('PUT', /uploads/, ({ response }) => sendError(response, 503, 'UNAVAILABLE'), 1);
    const other = randomBytes(MIB);
    expect(await world.client.streamBlob(making(other))).toBe('uploaded');
    expect(registry.received).toBe(content.length + other.length);
  });

  test.each([
    ['has given it up', 404, ''],
    ['has none of it', 204, '0-0'],
    ['claims more than there is', 204, '0-99999999'],
    ['takes no rest', 204, '0-999'],
  ])('a cut upload of which the registry %s begins anew', async (_, status, range) => {
    await using world = await fakeRepository();
    const cut = async ({ request }: { request: IncomingMessage }) => {
      for await (const _chunk of request) return void request.socket.destroy();
    };
    world.fake.on('PUT', /uploads/, cut, 1);
    world.fake.on('GET', /uploads/, ({ response }) => void response.writeHead(status, { range }).end());
    world.fake.on('PATCH', /uploads/, ({ request, response }) => {
      request.resume();
      sendError(response, 416, 'RANGE_INVALID');
    });
    const blob = upload(randomBytes(2 * MIB));
    expect(await world.client.uploadBlob(blob)).toEqual({ state: 'uploaded' });
    expect(world.fake.seen('POST', /uploads/)).toHaveLength(2);
  });

  test.each([
    ['as one request', 0],
    ['in chunks', 413],
  ])('one that stops reading is given up, and said so (%s)', async (_, refusal) => {
    await using world = await fakeRepository({ stallMs: 300, attempts: 2 });
    let refusals = refusal === 0 ? 0 : 2;
    for (const method of ['PUT', 'PATCH']) {
      world.fake.on(method, /uploads/, ({ request, response }) => {
        if (method === 'PUT' && refusals-- > 0) {
          request.resume();
          sendError(response, refusal, 'SIZE_INVALID');
        } else request.pause();
      });
    }
    const content = randomBytes(40 * MIB);
    await expect(world.client.uploadBlob(upload(content))).rejects.toMatchObject({
      code: 'network',
      message: expect.stringMatching(/took no more bytes for 0\.3 s/),
    });
    const stream = Readable.from(pieces(content));
    const digest = Promise.resolve(digestOf(content));
    expect(await world.client.streamBlob({ content: stream, digest })).toBe('failed');
    expect(stream.destroyed).toBe(true);
  });

  test('a source that is slow is no fault of the registry’s', async () => {
    await using world = await fakeRepository({ stallMs: 50, attempts: 1 });
    const content = randomBytes(MIB);
    async function* slowly() {
      for (const piece of [content.subarray(0, 1000), content.subarray(1000)]) {
        yield piece;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
    const blob = upload(content, { open: async () => Readable.from(slowly()) });
    expect(await world.client.uploadBlob(blob)).toEqual({ state: 'uploaded' });
  });

  test('the signal ends what has not begun', async () => {
    await using world = await fakeRepository();
    const signal = AbortSignal.abort();
    const put = world.client.putManifest('1', Buffer.from('{}'), OCI_MANIFEST, signal);
    await expect(put).rejects.toMatchObject({ code: 'aborted' });
    const blob = upload(randomBytes(100));
    await expect(world.client.uploadBlob(blob, signal)).rejects.toMatchObject({ code: 'aborted' });
    expect(world.fake.requests).toEqual([]);
  });

  test('the signal ends it', async () => {
    await using world = await fakeRepository();
    const controller = new AbortController();
    world.fake.on('PUT', /uploads/, () => controller.abort());
    const blob = upload(randomBytes(5 * MIB));
    await expect(world.client.uploadBlob(blob, controller.signal)).rejects.toMatchObject({ code: 'aborted' });
  });
});
