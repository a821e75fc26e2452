import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { unpackImage } from '../../src/image/transfer/unpack.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { DOCKER_MANIFEST } from '../../src/oci/media-types.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { TestHost } from '../support/image/test-host.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { elsewhere, here, one, pullWorld, statesOf, three, two } from '../support/registry/pull-world.ts';
import { startRegistry } from '../support/registry/registry.ts';
import {
  addToFake,
  imageOf,
  indexOf,
  layerOf,
  tarOf,
  uploadImage,
} from '../support/registry/remote-image.ts';

const readText = async (host: TestHost, keys: readonly Digest[], path: string) =>
  (await host.snapshotter.readFile({ parents: keys }, path, 1000))?.toString();

describe('from a real registry', () => {
  test('an image with gzip, zstd and plain layers, out of an index', async () => {
    await using server = await startRegistry();
    await using w = await pullWorld();
    const index = indexOf([
      imageOf({ layers: [two], platform: elsewhere }),
      imageOf({ layers: [one, two, three], platform: here }),
    ]);
    await uploadImage(server.url, 'a/b', '1', index);
    const { image, root, upToDate } = await w.pull(`${server.host}/a/b:1`);
    expect(upToDate).toBe(false);
    expect(root).toEqual(index.descriptor);
    expect(image.config.rootfs.diff_ids).toEqual([one.diffId, two.diffId, three.diffId]);
    expect(await w.host.store.refs.resolve(parseReference(`${server.host}/a/b:1`))).toEqual(index.descriptor);
    const keys = await unpackImage(w.host.engine, w.host.call, image);
    expect(await readText(w.host, keys, 'etc/one')).toBe('first');
    expect(await readText(w.host, keys, 'etc/two')).toBe('second');
    expect(await readText(w.host, keys, 'usr/three')).toBe('third');
    for (const { descriptor } of [one, two, three]) {
      const seen = statesOf(w.events, descriptor.digest);
      expect(seen.filter((state) => state !== 'downloading')).toEqual([
        'waiting',
        'downloaded',
        'unpacking',
        'unpacked',
      ]);
      // The size of the blob says nothing about the tar in it.
      const told = w.events.findLast((event) => event.type === 'layer' && event.digest === descriptor.digest);
      expect(told).toMatchObject({ state: 'unpacked', totalBytes: undefined });
      expect(await w.host.store.origins.get(descriptor.digest)).toEqual([
        { domain: server.host, path: 'a/b' },
      ]);
    }
    expect((await w.host.store.compressed.get(one.diffId)).forms).toEqual([one.descriptor]);
  });

  test('Docker’s types, in an index of Docker’s', async () => {
    await using server = await startRegistry();
    await using w = await pullWorld();
    const layer = layerOf(tarOf({ a: 'docker' }), 'gzip', true);
    const list = indexOf([imageOf({ layers: [layer], platform: here, docker: true })], true);
    await uploadImage(server.url, 'a/b', '1', list);
    const { image, root } = await w.pull(`${server.host}/a/b:1`);
    expect(root.mediaType).toBe(list.descriptor.mediaType);
    expect(image.manifestDescriptor.mediaType).toBe(DOCKER_MANIFEST);
    expect(await readText(w.host, await unpackImage(w.host.engine, w.host.call, image), 'a')).toBe('docker');
  });

  test('a layer that is there twice in an image, and an image without layers', async () => {
    await using server = await startRegistry();
    await using w = await pullWorld();
    await uploadImage(server.url, 'a/b', 'twice', imageOf({ layers: [one, two, one], platform: here }));
    await uploadImage(server.url, 'a/b', 'none', imageOf({ layers: [], platform: here }));
    const { image } = await w.pull(`${server.host}/a/b:twice`);
    expect(await unpackImage(w.host.engine, w.host.call, image)).toHaveLength(3);
    expect(
      await unpackImage(w.host.engine, w.host.call, (await w.pull(`${server.host}/a/b:none`)).image),
    ).toEqual([]);
  });

  test('by digest', async () => {
    await using server = await startRegistry();
    await using w = await pullWorld();
    const image = imageOf({ layers: [one], platform: here });
    await uploadImage(server.url, 'a/b', '1', image);
    const { digest } = image.descriptor;
    const name = `${server.host}/a/b:other@${digest}`;
    expect((await w.pull(name)).upToDate).toBe(false);
    expect((await w.pull(name)).upToDate).toBe(true);
    const [ref] = await w.host.store.refs.list();
    expect(ref?.reference).toEqual({ domain: server.host, path: 'a/b', digest });
  });
});

test('progress within a layer is told ten times a second at most', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  const layer = layerOf(tarOf({ large: randomBytes(8 * 1024 * 1024) }), 'none');
  addToFake(fake, '1', imageOf({ layers: [layer], platform: here }));
  const started = performance.now();
  await w.pull(`${fake.host}/a/b:1`);
  const seconds = (performance.now() - started) / 1000;
  const downloading = w.events.filter((event) => event.type === 'layer' && event.state === 'downloading');
  expect(downloading.length).toBeLessThanOrEqual(2 + seconds * 10);
  expect(downloading.at(0)).toMatchObject({
    totalBytes: layer.content.length,
    digest: digestOf(layer.content),
  });
});

test('what is fetched is what was sent, byte for byte', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld();
  const tar = tarOf({ x: randomBytes(100_000) });
  const content = gzipSync(tar, { level: 1 });
  const layer = {
    descriptor: { ...one.descriptor, digest: digestOf(content), size: content.length },
    diffId: digestOf(tar),
    content,
  };
  addToFake(fake, '1', imageOf({ layers: [layer], platform: here }));
  await w.pull(`${fake.host}/a/b:1`);
  expect((await w.host.store.blobs.read(layer.descriptor.digest)).equals(content)).toBe(true);
});
