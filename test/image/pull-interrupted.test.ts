import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unpackImage } from '../../src/image/transfer/unpack.ts';
import { openStore } from '../../src/store/open-store.ts';
import { runTool } from '../../src/system/process/spawn.ts';
import { FakeRegistry, sendError } from '../support/registry/fake-registry.ts';
import { here, one, partialBytes, pullWorld } from '../support/registry/pull-world.ts';
import { addToFake, imageOf, layerOf, tarOf } from '../support/registry/remote-image.ts';

const large = randomBytes(4 * 1024 * 1024);
const big = layerOf(tarOf({ large }), 'none');

test('an aborted pull keeps what came, and the next one fetches only the rest', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  addToFake(fake, '1', imageOf({ layers: [big, one], platform: here }));
  const controller = new AbortController();
  const blob = new RegExp(`blobs/${big.descriptor.digest}`);
  fake.on(
    'GET',
    blob,
    async ({ serve }) => {
      await serve({ after: 3 * 1024 * 1024, how: 'stall' });
      await partialBytes(w.host.store.paths.root, 2.5 * 1024 * 1024);
      controller.abort();
    },
    1,
  );
  await expect(w.pull(`${fake.host}/a/b:1`, { signal: controller.signal })).rejects.toMatchObject({
    code: 'aborted',
  });
  expect(await w.names()).toBe(0);
  fake.requests.length = 0;
  const { image } = await w.pull(`${fake.host}/a/b:1`);
  expect(fake.sentBytes(blob)).toBeLessThanOrEqual(big.content.length - 2.5 * 1024 * 1024);
  expect(await unpackImage(w.host.engine, w.host.call, image)).toHaveLength(2);
});

test('a full disk is said to be one, and nothing is named', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  addToFake(fake, '1', imageOf({ layers: [big], platform: here }));
  const { root } = w.host.store.paths;
  await runTool('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=0700', 'small', root]);
  try {
    await openStore(w.host.store.paths);
    await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({
      code: 'disk-full',
      hint: expect.stringContaining('prune'),
    });
    expect(await w.names()).toBe(0);
  } finally {
    await runTool('umount', [root]);
  }
  expect((await w.pull(`${fake.host}/a/b:1`)).upToDate).toBe(false);
});

test('the first failure ends the other layers’ downloads', async () => {
  await using fake = await FakeRegistry.start();
  // The other download stalls longer than the test lasts: only the failure can end it.
  await using w = await pullWorld({ stallMs: 3_600_000 });
  addToFake(fake, '1', imageOf({ layers: [big, one], platform: here }));
  const begun = Promise.withResolvers<void>();
  fake.on('GET', new RegExp(big.descriptor.digest), async ({ serve }) => {
    await serve({ after: 1024, how: 'stall' });
    begun.resolve();
  });
  fake.on('GET', new RegExp(one.descriptor.digest), async ({ response }) => {
    await begun.promise;
    sendError(response, 403, 'DENIED');
  });
  await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'denied' });
});

test('a mirror with wrong bytes is left for the registry', async () => {
  await using mirror = await FakeRegistry.start();
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  const image = imageOf({ layers: [one], platform: here });
  addToFake(mirror, '1', image);
  addToFake(fake, '1', image);
  mirror.on('GET', new RegExp(`blobs/${one.descriptor.digest}`), ({ serve }) =>
    serve({ change: (body) => Buffer.from(body).fill(0) }),
  );
  await w.config.write(
    'etc/containers/registries.conf',
    `[[registry]]\nlocation = "${fake.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"\n`,
  );
  await w.pull(`${fake.host}/a/b:1`);
  expect(fake.seen('GET', /blobs/)).toHaveLength(1);
});

test('a registry that says another size when it is asked for the rest is asked for all', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  addToFake(fake, '1', imageOf({ layers: [big], platform: here }));
  const { digest, size } = big.descriptor;
  const partial = join(w.host.store.paths.root, 'partial', digest.replace(':', '-'));
  await writeFile(partial, big.content.subarray(0, 1000));
  const blob = new RegExp(`blobs/${digest}`);
  fake.on('GET', blob, async ({ request, response, serve }) => {
    if (request.headers.range === undefined) return await serve();
    response.writeHead(206, { 'content-range': `bytes 1000-1999/${size + 1}` }).end(Buffer.alloc(1000));
  });
  await w.pull(`${fake.host}/a/b:1`);
  expect(fake.seen('GET', blob)).toHaveLength(2);
});
