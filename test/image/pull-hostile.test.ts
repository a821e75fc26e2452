import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { here, one, pullWorld, two } from '../support/registry/pull-world.ts';
import { addToFake, imageOf, type RemoteImage } from '../support/registry/remote-image.ts';

async function refused(image: RemoteImage, code: string): Promise<void> {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  addToFake(fake, '1', image);
  await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code });
  expect(await w.names()).toBe(0);
  for await (const snapshot of w.host.snapshotter.list()) expect(snapshot.diffId).not.toBe(two.diffId);
}

test('a layer that does not have its diffID', async () => {
  await refused(imageOf({ layers: [two], diffIds: [one.diffId], platform: here }), 'digest-mismatch');
});

test('more layers than diffIDs', async () => {
  await refused(imageOf({ layers: [one, two], diffIds: [one.diffId], platform: here }), 'hostile');
});

test('a layer whose bytes are not gzip', async () => {
  const content = Buffer.from('this is no gzip');
  const descriptor = { ...one.descriptor, digest: digestOf(content), size: content.length };
  const lying = { ...one, content, descriptor };
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  addToFake(fake, '1', imageOf({ layers: [lying], platform: here }));
  await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({
    code: expect.stringMatching(/corrupt|hostile/),
  });
  expect(await w.names()).toBe(0);
});

test.each([
  ['more', -1],
  ['fewer', 1],
])('a layer with %s bytes than announced', async (_what, difference) => {
  const size = one.descriptor.size + difference;
  await refused(
    imageOf({ layers: [{ ...one, descriptor: { ...one.descriptor, size } }], platform: here }),
    'size-mismatch',
  );
});

test('a layer of other content than its digest: not kept, and fetched again from the start', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  addToFake(fake, '1', imageOf({ layers: [one], platform: here }));
  const flip = (body: Buffer) => Buffer.from(body).fill(0xff, 20, 30);
  fake.on('GET', new RegExp(one.descriptor.digest), ({ serve }) => serve({ change: flip }), 1);
  await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'digest-mismatch' });
  expect(await w.names()).toBe(0);
  expect(await w.host.store.blobs.stat(one.descriptor.digest)).toBeUndefined();
  expect(await readdir(join(w.host.store.paths.root, 'partial'))).toEqual([]);
  expect((await w.pull(`${fake.host}/a/b:1`)).upToDate).toBe(false);
});

test('a config of other content than its digest', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  const image = imageOf({ layers: [], platform: here });
  addToFake(fake, '1', image);
  fake.on('GET', /blobs/, ({ serve }) => serve({ change: (body) => Buffer.from(body).fill(0x20, 5, 8) }));
  await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'digest-mismatch' });
});

test('Docker’s schema 1', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  fake.addManifest(
    '1',
    { schemaVersion: 1, fsLayers: [] },
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
  );
  await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining('schema 1'),
  });
});

test('an artifact that is no image', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  const config = fake.addBlob(Buffer.from('{}'), 'application/vnd.example+json');
  fake.addManifest('1', { schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [] });
  await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'unsupported' });
});

test.each([
  [
    'a manifest that is also an index',
    { schemaVersion: 2, config: {}, layers: [], manifests: [] },
    OCI_MANIFEST,
  ],
  [
    'an index that says it is a manifest',
    { schemaVersion: 2, mediaType: OCI_MANIFEST, manifests: [] },
    OCI_INDEX,
  ],
])('%s', async (_what, content, type) => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  fake.addManifest('1', content, type);
  await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'hostile' });
  for await (const blob of w.host.store.blobs.list()) throw new Error(`kept ${blob.digest}`);
});

test('a manifest of another type than its index announces', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  const image = imageOf({ layers: [one], platform: here });
  addToFake(fake, undefined, image);
  const entry = { ...image.descriptor, mediaType: DOCKER_MANIFEST };
  fake.addManifest('1', { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] }, OCI_INDEX);
  await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'hostile' });
});

test('indexes within indexes', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  let inner = fake.addManifest(
    undefined,
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] },
    OCI_INDEX,
  );
  for (let depth = 0; depth < 6; depth++) {
    const manifests = [{ ...inner, platform: here }];
    inner = fake.addManifest('1', { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX);
  }
  await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'hostile' });
});

test('a large blob of the store that an index passes for a manifest is not read', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  const { digest, sizeBytes: size } = await w.host.store.blobs.put(Buffer.alloc(5 * 1024 * 1024));
  const manifests = [{ mediaType: OCI_MANIFEST, digest, size, platform: here }];
  fake.addManifest('1', { schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX);
  const read = vi.spyOn(w.host.store.blobs, 'read');
  await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'hostile' });
  expect(read.mock.calls.map(([asked]) => asked)).not.toContain(digest);
});
