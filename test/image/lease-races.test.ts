import { expect, test } from 'vitest';
import { ensureLayers } from '../../src/image/transfer/pull-image.ts';
import { unpackImage } from '../../src/image/transfer/unpack.ts';
import { type TestHost, testHost, withRegistry } from '../support/image/test-host.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { here, one, pullWorld, two } from '../support/registry/pull-world.ts';
import { addToFake, imageOf } from '../support/registry/remote-image.ts';

/** The host, in which a prune comes before the next lease. */
function prunedBefore(host: TestHost, prune: () => Promise<unknown>): TestHost {
  const { leases } = host.store;
  const shared: typeof leases.shared = async (signal) => {
    await prune();
    return await leases.shared(signal);
  };
  const store = { ...host.store, leases: { ...leases, shared } as typeof leases };
  return testHost(store, host.snapshotter);
}

test('a layer that a prune takes before the lease is fetched as well', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  addToFake(fake, '1', imageOf({ layers: [one, two], platform: here }));
  const { image } = await w.pull(`${fake.host}/a/b:1`, { depth: 'layers' });
  const { blobs } = w.host.store;
  await blobs.delete(one.descriptor.digest);
  const host = prunedBefore(w.host, async () => await blobs.delete(two.descriptor.digest));
  await ensureLayers(withRegistry(host, w.registry), host.call, image, { depth: 'layers' });
  expect(await blobs.stat(two.descriptor.digest)).toBeDefined();
});

test('a snapshot that a prune takes before the lease is unpacked again', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  addToFake(fake, '1', imageOf({ layers: [one, two], platform: here }));
  const { image } = await w.pull(`${fake.host}/a/b:1`);
  const { snapshotter } = w.host;
  const [first, second] = await unpackImage(w.host.engine, w.host.call, image);
  await snapshotter.remove(first!);
  const host = prunedBefore(w.host, async () => await snapshotter.remove(second!));
  await unpackImage(host.engine, host.call, image);
  expect(await snapshotter.stat(image.config.rootfs.diff_ids)).toBeDefined();
});
