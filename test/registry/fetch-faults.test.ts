import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { sendError } from '../support/registry/fake-registry.ts';
import { fakeRepository, fetchAll } from '../support/registry/fake-repository.ts';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;

describe('a body that does not arrive', () => {
  test('a dropped body goes on from where it stopped: no byte is sent twice', async () => {
    await using world = await fakeRepository();
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
    await using world = await fakeRepository();
    const content = randomBytes(MIB);
    const blob = world.fake.addBlob(content);
    world.fake.on('GET', /blobs/, ({ serve }) => serve({ after: MIB / 4, how: 'stall' }), 1);
    expect((await fetchAll(world.client, blob)).content.equals(content)).toBe(true);
    expect(world.host.events).toContainEqual(
      expect.objectContaining({ type: 'retry', reason: expect.stringContaining('sent nothing for') }),
    );
  });

  test('as long as it gets on it is continued, more often than a request is tried', async () => {
    await using world = await fakeRepository();
    const content = randomBytes(MIB);
    const blob = world.fake.addBlob(content);
    world.fake.on('GET', /blobs/, ({ serve }) => serve({ after: 64 * 1024, how: 'drop' }), 12);
    expect((await fetchAll(world.client, blob)).content.equals(content)).toBe(true);
  });

  test('without progress it ends', async () => {
    await using world = await fakeRepository();
    const blob = world.fake.addBlob(randomBytes(MIB));
    world.fake.on('GET', /blobs/, ({ serve }) => serve({ after: 0, how: 'drop' }));
    await expect(fetchAll(world.client, blob)).rejects.toMatchObject({ code: 'network' });
    expect(world.fake.seen('GET', /blobs/).length).toBeLessThanOrEqual(8);
  });

  test('a source that cannot continue begins anew, and what was passed on is left out', async () => {
    await using world = await fakeRepository();
    const content = randomBytes(MIB);
    const blob = world.fake.addBlob(content);
    world.fake.on('GET', /blobs/, ({ serve }) => serve({ ignoreRange: true }));
    world.fake.on('GET', /blobs/, ({ serve }) => serve({ after: MIB / 2, how: 'drop' }), 1);
    expect((await fetchAll(world.client, blob)).content.equals(content)).toBe(true);
  });
});

describe('from an offset', () => {
  test('only the rest is sent', async () => {
    await using world = await fakeRepository();
    const content = randomBytes(1000);
    const blob = world.fake.addBlob(content);
    const { content: rest, resumed } = await fetchAll(world.client, blob, 900);
    expect(resumed).toBe(true);
    expect(rest.equals(content.subarray(900))).toBe(true);
    expect(world.fake.sentBytes(/blobs/)).toBe(100);
  });

  test('a source that cannot says so', async () => {
    await using world = await fakeRepository();
    const content = randomBytes(1000);
    const blob = world.fake.addBlob(content);
    world.fake.on('GET', /blobs/, ({ serve }) => serve({ ignoreRange: true }));
    const { content: all, resumed } = await fetchAll(world.client, blob, 900);
    expect(resumed).toBe(false);
    expect(all.equals(content)).toBe(true);
  });

  test('an offset that the source does not have (416) begins at 0', async () => {
    await using world = await fakeRepository();
    const content = randomBytes(1000);
    const blob = { ...world.fake.addBlob(content) };
    const { content: all, resumed } = await fetchAll(world.client, blob, 1000);
    expect(resumed).toBe(false);
    expect(all.equals(content)).toBe(true);
  });

  test('another range than the one asked for is an error', async () => {
    await using world = await fakeRepository();
    const blob = world.fake.addBlob(randomBytes(1000));
    world.fake.on('GET', /blobs/, ({ serve }) =>
      serve({ headers: { 'content-range': 'bytes 950-999/1000' } }),
    );
    await expect(fetchAll(world.client, blob, 900)).rejects.toMatchObject({ code: 'network' });
  });
});

describe('sizes that lie', () => {
  test('more bytes than the descriptor says are refused before they are taken', async () => {
    await using world = await fakeRepository();
    const blob = world.fake.addBlob(randomBytes(2000));
    await expect(fetchAll(world.client, { ...blob, size: 1000 })).rejects.toMatchObject({
      code: 'size-mismatch',
    });
  });

  test('the same without a length in the header', async () => {
    await using world = await fakeRepository();
    world.fake.on('GET', /blobs/, ({ response }) => {
      response.writeHead(200);
      response.write(Buffer.alloc(2000));
      response.end();
    });
    const blob = { mediaType: 'x', digest: digestOf('x'), size: 1000 };
    await expect(fetchAll(world.client, blob)).rejects.toMatchObject({ code: 'size-mismatch' });
  });

  test('fewer bytes, and no more to come', async () => {
    await using world = await fakeRepository();
    world.fake.on('GET', /blobs/, ({ response, request }) => {
      if (request.headers.range !== undefined) return sendError(response, 416, 'RANGE_INVALID');
      response.writeHead(200);
      response.end(Buffer.alloc(600));
    });
    const blob = { mediaType: 'x', digest: digestOf('x'), size: 1000 };
    await expect(fetchAll(world.client, blob)).rejects.toMatchObject({ code: 'size-mismatch' });
  });
});

describe('the signal', () => {
  test.each(['waiting for an answer', 'within a body', 'between attempts'])('ends it %s', async (when) => {
    // Nothing else would end it while the test lasts.
    await using world = await fakeRepository({ stallMs: HOUR_MS, maxRetryAfterMs: HOUR_MS });
    const blob = world.fake.addBlob(randomBytes(MIB));
    const controller = new AbortController();
    world.fake.on('GET', /blobs/, async ({ response, serve }) => {
      setTimeout(() => controller.abort(), 30);
      if (when === 'within a body') return await serve({ after: 1000, how: 'stall' });
      if (when === 'between attempts') sendError(response, 429, 'LIMIT', { 'retry-after': '3000' });
    });
    await expect(fetchAll(world.client, blob, 0, controller.signal)).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(world.fake.requests).toHaveLength(1);
  });
});
