import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { basicHeader } from '../../src/registry/auth/token-service.ts';
import type { BlobUpload } from '../../src/registry/registry-client.ts';
import { FakeRegistry, sendError } from '../support/registry/fake-registry.ts';
import { fakeRepository } from '../support/registry/fake-repository.ts';
import { TEST_USER } from '../support/registry/registry.ts';
import { authEntry } from '../support/registry/registry-config.ts';

const MIB = 1024 * 1024;
const CHALLENGE = { 'www-authenticate': 'Basic realm="x"' };
const METHODS = ['POST', 'PUT', 'PATCH'] as const;

interface Counted extends BlobUpload {
  opened(): number;
}

function upload(content: Buffer): Counted {
  let opened = 0;
  return {
    digest: digestOf(content),
    sizeBytes: content.length,
    open: async () => {
      opened++;
      return Readable.from([content]);
    },
    opened: () => opened,
  };
}

/** Every request of the method, but those that came this way already, is sent on to `target`. */
function redirect(from: FakeRegistry, method: string, status: number, target: string): void {
  from.on(method, /^\/v2\//, ({ request, response }) => {
    request.resume();
    response.writeHead(status, { location: `${target}${request.url}` }).end();
  });
}

describe.each([307, 308])('%i', (status) => {
  test.each(METHODS)('in answer to %s: the upload goes on there', async (method) => {
    await using other = await FakeRegistry.start();
    await using world = await fakeRepository();
    // Chunks are asked for, so that there is a PATCH.
    const refuse = ({ request, response }: Parameters<Parameters<FakeRegistry['on']>[2]>[0]) => {
      request.resume();
      sendError(response, 413, 'SIZE_INVALID');
    };
    if (method === 'PATCH') {
      world.fake.on('PUT', /uploads/, refuse, 1);
      // Both servers know the upload: it begins at the first, its chunk goes to the second, and it ends there.
      other.on('PATCH', /uploads/, ({ request, response }) => {
        request.resume();
        response.writeHead(202, { location: `/v2/a/b/blobs/uploads/2` }).end();
      });
      other.on('PUT', /uploads/, ({ response }) => void response.writeHead(201).end());
    }
    if (method === 'PUT') {
      other.on('PUT', /uploads/, async ({ request, response }) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const content = Buffer.concat(chunks);
        other.blobs.set(digestOf(content), content);
        response.writeHead(201).end();
      });
    }
    redirect(world.fake, method, status, other.url);
    const content = randomBytes(2 * MIB);
    const blob = upload(content);
    expect(await world.client.uploadBlob(blob)).toEqual({ state: 'uploaded' });
    expect(other.seen(method, /uploads/).length).toBeGreaterThan(0);
    if (method !== 'PATCH') expect(other.blobs.get(blob.digest)?.equals(content)).toBe(true);
  });

  test('in answer to the PUT of a manifest', async () => {
    await using other = await FakeRegistry.start();
    await using world = await fakeRepository();
    redirect(world.fake, 'PUT', status, other.url);
    await world.client.putManifest('1', Buffer.from('{}'), OCI_MANIFEST);
    expect(other.manifests.get('1')).toMatchObject({ mediaType: OCI_MANIFEST });
  });

  test('before the body was read', async () => {
    await using other = await FakeRegistry.start();
    await using world = await fakeRepository();
    world.fake.on('PUT', /uploads/, ({ request, response }) => {
      response.writeHead(status, { location: `${other.url}${request.url}` }).end();
    });
    other.on('PUT', /uploads/, async ({ request, response, seen }) => {
      for await (const chunk of request) seen.receivedBytes += (chunk as Buffer).length;
      response.writeHead(201).end();
    });
    const blob = upload(randomBytes(8 * MIB));
    expect(await world.client.uploadBlob(blob)).toEqual({ state: 'uploaded' });
    expect(other.requests.map(({ receivedBytes }) => receivedBytes)).toEqual([8 * MIB]);
  });
});

test('the registry is shown its credentials wherever it sends to itself, and nobody else', async () => {
  await using other = await FakeRegistry.start();
  await using world = await fakeRepository();
  const { fake, host } = world;
  await host.write('home/.docker/config.json', {
    auths: { [fake.host]: authEntry(TEST_USER), [other.host]: authEntry(TEST_USER) },
  });
  for (const method of ['HEAD', 'POST', 'PUT']) {
    fake.on(method, /^\/v2\//, async ({ request, response, serve }) => {
      if (request.headers.authorization === basicHeader(TEST_USER)) return await serve();
      request.resume();
      sendError(response, 401, 'UNAUTHORIZED', CHALLENGE);
    });
  }
  fake.on('POST', /uploads\/$/, ({ request, response }) => {
    request.resume();
    if (request.headers.authorization === undefined)
      return sendError(response, 401, 'UNAUTHORIZED', CHALLENGE);
    response.writeHead(308, { location: '/v2/moved/b/blobs/uploads/?' }).end();
  });
  fake.on('PUT', /uploads/, ({ request, response }) => {
    request.resume();
    response.writeHead(307, { location: `${other.url}/bucket${request.url}` }).end();
  });
  other.on('PUT', /bucket/, ({ request, response }) => {
    request.resume();
    response.writeHead(201).end();
  });
  expect(await world.client.uploadBlob(upload(randomBytes(1000)))).toEqual({ state: 'uploaded' });
  expect(fake.seen('POST', /moved/).map(({ headers }) => headers.authorization)).toEqual([
    basicHeader(TEST_USER),
  ]);
  expect(other.requests.map(({ method, headers }) => [method, headers.authorization])).toEqual([
    ['PUT', undefined],
  ]);
});

test('endless redirects end', async () => {
  await using world = await fakeRepository();
  redirect(world.fake, 'PUT', 307, world.fake.url);
  const blob = upload(randomBytes(1000));
  await expect(world.client.uploadBlob(blob)).rejects.toMatchObject({
    code: 'network',
    message: expect.stringContaining('more than 5 redirects'),
  });
  expect(blob.opened()).toBe(6);
});

test.each(['ftp://127.0.0.1/x', 'http://u:p@127.0.0.1/x'])(
  'a redirect to %s is refused',
  async (location) => {
    await using world = await fakeRepository();
    world.fake.on('POST', /uploads/, ({ request, response }) => {
      request.resume();
      response.writeHead(307, { location }).end();
    });
    await expect(world.client.uploadBlob(upload(randomBytes(10)))).rejects.toMatchObject({ code: 'hostile' });
  },
);

test.each([301, 302, 303])('%i, which would make a GET of it, is an error', async (status) => {
  await using other = await FakeRegistry.start();
  await using world = await fakeRepository();
  redirect(world.fake, 'PUT', status, other.url);
  await expect(world.client.uploadBlob(upload(randomBytes(10)))).rejects.toMatchObject({ code: 'network' });
  expect(other.requests).toEqual([]);
});

test('a body that cannot be had again is not sent on, and comes once it is whole', async () => {
  await using other = await FakeRegistry.start();
  await using world = await fakeRepository();
  redirect(world.fake, 'PATCH', 307, other.url);
  const content = randomBytes(1000);
  const digest = Promise.resolve(digestOf(content));
  expect(await world.client.streamBlob({ content: Readable.from([content]), digest })).toBe('failed');
  expect(other.requests).toEqual([]);
});
