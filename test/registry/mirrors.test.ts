import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseReference } from '../../src/oci/reference.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { type ConfigHost, configHost } from '../support/registry/registry-config.ts';

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
