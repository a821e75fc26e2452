import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { pushImages, tagsToPush } from '../../src/image/transfer/push-images.ts';
import { unpackImage } from '../../src/image/transfer/unpack.ts';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { Manifest } from '../../src/oci/manifest.ts';
import { DOCKER_MANIFEST, OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { LayerEvent } from '../../src/progress.ts';
import { runTool } from '../../src/system/process/spawn.ts';
import { build } from '../support/image/built-image.ts';
import { withRegistry } from '../support/image/test-host.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { elsewhere, here, pullWorld, statesOf } from '../support/registry/pull-world.ts';
import { startRegistry } from '../support/registry/registry.ts';
import {
  addToFake,
  imageOf,
  indexOf,
  layerOf,
  tarOf,
  uploadImage,
} from '../support/registry/remote-image.ts';

async function world() {
  // What a busy host makes slow is not to be taken for a registry that has gone.
  const made = await pullWorld({ stallMs: 60_000 });
  const { host, registry } = made;
  return {
    ...made,
    push: async (name: string, more: { platform?: typeof here; compression?: 'gzip' | 'zstd' } = {}) =>
      (
        await pushImages(withRegistry(host, registry), host.call, {
          references: [parseReference(name)],
          ...more,
        })
      )[0]!.descriptor,
    tag: async (name: string, root: Descriptor) => await host.store.refs.put(parseReference(name), root),
    [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
  };
}

const manifestAt = async (url: string, repository: string, tag: string) => {
  const headers = { accept: [OCI_MANIFEST, DOCKER_MANIFEST].join(', ') };
  const response = await fetch(`${url}/v2/${repository}/manifests/${tag}`, { headers });
  const content = Buffer.from(await response.arrayBuffer());
  return { content, digest: digestOf(content), manifest: JSON.parse(content.toString()) as Manifest };
};

const first = tarOf({ 'etc/': '', 'etc/first': 'one '.repeat(10_000) });
const second = tarOf({ 'etc/second': 'two '.repeat(10_000) });

describe('an image that was built here', () => {
  test('is compressed on its way, and pulled back the same', async () => {
    await using server = await startRegistry();
    await using w = await world();
    const built = await build(w.host, `${server.host}/a/b:1`, [first, second]);
    const pushed = await w.push(`${server.host}/a/b:1`);
    const { manifest, content, digest } = await manifestAt(server.url, 'a/b', '1');
    expect(pushed).toEqual({ mediaType: OCI_MANIFEST, digest, size: content.length });
    expect(manifest.mediaType).toBe(OCI_MANIFEST);
    expect(manifest.config).toMatchObject({ mediaType: OCI_CONFIG, digest: built.id });
    expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([OCI_LAYER_GZIP, OCI_LAYER_GZIP]);
    expect(manifest.layers[0]!.size).toBeLessThan(first.length / 10);
    expect(statesOf(w.events, digestOf(first)).filter((s) => s !== 'uploading')).toEqual([
      'waiting',
      'compressing',
      'uploaded',
    ]);

    await using other = await world();
    const { image } = await other.pull(`${server.host}/a/b@${digest}`);
    expect(image.id).toBe(built.id);
    const keys = await unpackImage(other.host.engine, other.host.call, image);
    const file = await other.host.snapshotter.readFile({ parents: keys }, 'etc/second', 100_000);
    expect(file?.toString()).toBe('two '.repeat(10_000));
    expect((await other.host.store.compressed.get(digestOf(first))).plainSizeBytes).toBe(first.length);
  });

  test('is compressed once: the next push sends no layer, and gives the same digest', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    await build(w.host, `${fake.host}/a/b:1`, [first, second]);
    const before = await w.push(`${fake.host}/a/b:1`);
    w.events.length = 0;
    fake.requests.length = 0;
    expect(await w.push(`${fake.host}/a/b:1`)).toEqual(before);
    const asked = fake.requests.map(({ method, path }) => `${method} ${path.replace(/sha256:.*/, 'DIGEST')}`);
    expect(asked.sort()).toEqual([...Array(3).fill('HEAD /v2/a/b/blobs/DIGEST'), 'HEAD /v2/a/b/manifests/1']);
    expect(statesOf(w.events, digestOf(first))).toEqual(['exists']);
  });

  test('is pushed again where the registry has lost a blob, or its tag points elsewhere', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    await build(w.host, `${fake.host}/a/b:1`, [first, second]);
    const { digest } = await w.push(`${fake.host}/a/b:1`);
    const { manifest } = await manifestAt(fake.url, 'a/b', '1');
    const all = [...fake.blobs.keys()].sort();
    for (const lost of [manifest.config.digest, manifest.layers[1]!.digest]) {
      fake.blobs.delete(lost);
      expect((await w.push(`${fake.host}/a/b:1`)).digest).toBe(digest);
      expect([...fake.blobs.keys()].sort()).toEqual(all);
    }
    await build(w.host, `${fake.host}/a/b:2`, [first]);
    const other = await w.push(`${fake.host}/a/b:2`);
    await w.tag(`${fake.host}/a/b:1`, other);
    await w.push(`${fake.host}/a/b:1`);
    expect((await manifestAt(fake.url, 'a/b', '1')).digest).toBe(other.digest);
  });

  test('with nothing new, the tags of a repository are asked for, and what they share once', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    const { manifestDescriptor } = await build(w.host, `${fake.host}/a/b:1`, [first]);
    await w.tag(`${fake.host}/a/b:2`, manifestDescriptor);
    const references = ['1', '2'].map((tag) => parseReference(`${fake.host}/a/b:${tag}`));
    const pushBoth = () => pushImages(withRegistry(w.host, w.registry), w.host.call, { references });
    const before = await pushBoth();
    fake.requests.length = 0;
    expect(await pushBoth()).toEqual(before);
    expect(
      fake.requests.map(({ method, path }) => `${method} ${path.replace(/sha256:.*/, 'DIGEST')}`).sort(),
    ).toEqual([
      ...Array(2).fill('HEAD /v2/a/b/blobs/DIGEST'),
      ...['1', '2'].map((tag) => `HEAD /v2/a/b/manifests/${tag}`),
    ]);
  });

  test('a large one is sent while it is compressed; where that fails, once it is whole', async () => {
    const large = tarOf({ large: randomBytes(9 * 1024 * 1024) });
    for (const refuses of [false, true]) {
      await using fake = await FakeRegistry.start();
      await using w = await world();
      if (refuses) {
        fake.on('PATCH', /uploads/, ({ request, response }) => {
          request.resume();
          response.writeHead(405).end();
        });
      }
      await build(w.host, `${fake.host}/a/b:1`, [large]);
      await w.push(`${fake.host}/a/b:1`);
      const { manifest } = await manifestAt(fake.url, 'a/b', '1');
      const [layer] = manifest.layers;
      expect(gunzipSync(fake.blobs.get(layer!.digest)!).equals(large)).toBe(true);
      expect(await w.host.store.blobs.stat(layer!.digest)).toMatchObject({ sizeBytes: layer!.size });
      const sent = (method: string) => fake.seen(method, /uploads/).length;
      // The other one that is put is the config.
      expect([sent('PATCH'), sent('POST')]).toEqual(refuses ? [1, 3] : [1, 2]);
      expect(statesOf(w.events, digestOf(large)).filter((state) => state !== 'uploading')).toEqual([
        'waiting',
        'compressing',
        'uploaded',
      ]);
    }
  });

  test('with zstd where it is asked for, which others can read', async () => {
    await using server = await startRegistry();
    await using w = await world();
    await build(w.host, `${server.host}/a/b:1`, [first]);
    await w.push(`${server.host}/a/b:1`, { compression: 'zstd' });
    const { manifest } = await manifestAt(server.url, 'a/b', '1');
    expect(manifest.layers[0]!.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+zstd');
    const target = `dir:${join(w.host.folder, 'copied')}`;
    await runTool('skopeo', ['copy', '--src-tls-verify=false', `docker://${server.host}/a/b:1`, target]);
  });

  test('on a base of Docker’s types: the manifest is OCI’s throughout', async () => {
    await using server = await startRegistry();
    await using w = await world();
    const base = layerOf(first, 'gzip', true);
    await uploadImage(
      server.url,
      'base/image',
      '1',
      imageOf({ layers: [base], platform: here, docker: true }),
    );
    const { image } = await w.pull(`${server.host}/base/image:1`);
    await build(
      w.host,
      `${server.host}/a/b:1`,
      [second],
      [{ descriptor: image.manifest.layers[0]!, diffId: base.diffId }],
    );
    await build(
      w.host,
      `${server.host}/a/b:same`,
      [],
      [{ descriptor: image.manifest.layers[0]!, diffId: base.diffId }],
    );
    for (const tag of ['1', 'same']) {
      await w.push(`${server.host}/a/b:${tag}`);
      const { manifest } = await manifestAt(server.url, 'a/b', tag);
      for (const { mediaType } of [manifest.config, ...manifest.layers])
        expect(mediaType).toContain('vnd.oci.');
      expect(manifest.layers[0]!.digest).toBe(base.descriptor.digest);
    }
    expect(statesOf(w.events, base.descriptor.digest)).toContain('mounted');
  });

  test('its base’s layers are mounted, although they were never fetched', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    const base = layerOf(first);
    addToFake(fake, '1', imageOf({ layers: [base], platform: here }));
    const { image } = await w.pull(`${fake.host}/base/image:1`, { depth: 'config' });
    await build(
      w.host,
      `${fake.host}/a/b:1`,
      [second],
      [{ descriptor: image.manifest.layers[0]!, diffId: base.diffId }],
    );
    fake.on('HEAD', new RegExp(base.descriptor.digest), ({ response }) => void response.writeHead(404).end());
    fake.requests.length = 0;
    await w.push(`${fake.host}/a/b:1`);
    expect(fake.seen('POST', /mount=/).map(({ path }) => path)).toEqual([
      `/v2/a/b/blobs/uploads/?mount=${encodeURIComponent(base.descriptor.digest)}&from=base%2Fimage`,
    ]);
    expect(fake.seen('GET', /blobs/)).toEqual([]);
    expect(await w.host.store.blobs.stat(base.descriptor.digest)).toBeUndefined();
    const mounted = (w.events as LayerEvent[]).find(({ state }) => state === 'mounted');
    expect(mounted).toMatchObject({ digest: base.descriptor.digest, from: 'base/image' });
  });

  test('to another registry, such layers are fetched first', async () => {
    await using from = await FakeRegistry.start();
    await using to = await FakeRegistry.start();
    await using w = await world();
    const base = layerOf(first);
    addToFake(from, '1', imageOf({ layers: [base], platform: here }));
    const { image } = await w.pull(`${from.host}/base/image:1`, { depth: 'config' });
    await build(
      w.host,
      `${to.host}/a/b:1`,
      [second],
      [{ descriptor: image.manifest.layers[0]!, diffId: base.diffId }],
    );
    await w.push(`${to.host}/a/b:1`);
    expect(to.blobs.get(base.descriptor.digest)?.equals(base.content)).toBe(true);
    expect(to.seen('POST', /mount=/)).toEqual([]);
  });
});

describe('an image that came from a registry', () => {
  test('keeps its digest, byte for byte, whatever its types and its compression', async () => {
    await using from = await startRegistry();
    await using to = await startRegistry();
    await using w = await world();
    const images = {
      docker: imageOf({ layers: [layerOf(first, 'gzip', true)], platform: here, docker: true }),
      plain: imageOf({ layers: [layerOf(first, 'none'), layerOf(second, 'zstd')], platform: here }),
    };
    for (const [tag, image] of Object.entries(images)) {
      await uploadImage(from.url, 'a/b', tag, image);
      const { root } = await w.pull(`${from.host}/a/b:${tag}`);
      await w.tag(`${to.host}/c/d:${tag}`, root);
      expect((await w.push(`${to.host}/c/d:${tag}`)).digest).toBe(image.descriptor.digest);
      expect((await manifestAt(to.url, 'c/d', tag)).digest).toBe(image.descriptor.digest);
    }
  });

  test('an index with all its images, or else one of them', async () => {
    await using from = await startRegistry();
    await using to = await startRegistry();
    await using w = await world();
    const index = indexOf([
      imageOf({ layers: [layerOf(first)], platform: here }),
      imageOf({ layers: [layerOf(second)], platform: elsewhere }),
    ]);
    await uploadImage(from.url, 'a/b', '1', index);
    const { root, image } = await w.pull(`${from.host}/a/b:1`);
    await w.tag(`${to.host}/c/d:1`, root);
    expect((await w.push(`${to.host}/c/d:1`)).digest).toBe(image.manifestDescriptor.digest);
    expect(w.events).toContainEqual(expect.objectContaining({ text: expect.stringContaining('not all of') }));
    await expect(w.push(`${to.host}/c/d:1`, { platform: elsewhere })).rejects.toMatchObject({
      code: 'wrong-platform',
    });
    await w.pull(`${from.host}/a/b:1`, { platform: elsewhere });
    expect((await w.push(`${to.host}/c/d:1`)).digest).toBe(index.descriptor.digest);
    await using other = await world();
    expect((await other.pull(`${to.host}/c/d:1`, { platform: elsewhere })).root).toEqual(index.descriptor);
  });
});

describe('names', () => {
  test('all tags of a repository; what they share is asked for once', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    await build(w.host, `${fake.host}/a/b:1`, [first]);
    await build(w.host, `${fake.host}/a/b:2`, [first, second]);
    await build(w.host, `${fake.host}/a/c:3`, [first]);
    const references = await tagsToPush(w.host.store, parseReference(`${fake.host}/a/b`));
    const pushed = await pushImages(withRegistry(w.host, w.registry), w.host.call, { references });
    expect(pushed.map(({ reference }) => reference.tag)).toEqual(['1', '2']);
    expect(fake.manifests.has('3')).toBe(false);
    expect(fake.seen('HEAD', /blobs/)).toHaveLength(4);
    expect(statesOf(w.events, digestOf(first)).at(-1)).toBe('exists');
    await expect(tagsToPush(w.host.store, parseReference(`${fake.host}/x/y`))).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('one that is not here, and one by digest', async () => {
    await using w = await world();
    await expect(w.push('no-such-image')).rejects.toMatchObject({
      code: 'not-found',
      message: 'An image does not exist locally with the tag: no-such-image:latest',
    });
    await expect(w.push(`a@${digestOf('x')}`)).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

test('the manifest comes last, and after a failure not at all', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await world();
  await build(w.host, `${fake.host}/a/b:1`, [first, second]);
  await w.push(`${fake.host}/a/b:1`);
  const order = fake.requests
    .filter(({ method }) => method === 'PUT')
    .map(({ path }) => /blobs|manifests/.exec(path)?.[0]);
  expect(order).toEqual(['blobs', 'blobs', 'blobs', 'manifests']);
  await build(w.host, `${fake.host}/a/b:2`, [randomTar()]);
  fake.on('POST', /uploads/, ({ response }) => void response.writeHead(403).end());
  await expect(w.push(`${fake.host}/a/b:2`)).rejects.toMatchObject({ code: 'denied' });
  expect(fake.manifests.has('2')).toBe(false);
});

test('a large layer is pushed as it is, and arrives whole', async () => {
  await using server = await startRegistry();
  await using w = await world();
  const tar = tarOf({ large: randomBytes(30 * 1024 * 1024) });
  await build(w.host, `${server.host}/a/b:1`, [tar]);
  await w.push(`${server.host}/a/b:1`);
  const { manifest } = await manifestAt(server.url, 'a/b', '1');
  const blob = await fetch(`${server.url}/v2/a/b/blobs/${manifest.layers[0]!.digest}`);
  const content = Buffer.from(await blob.arrayBuffer());
  expect(digestOf(content)).toBe(manifest.layers[0]!.digest);
  const path = join(w.host.folder, 'layer.gz');
  await writeFile(path, content);
  const { stdout } = await runTool('sh', ['-c', 'gzip -dc "$0" | sha256sum', path]);
  expect(`sha256:${stdout.toString().split(' ')[0]}`).toBe(digestOf(tar));
});

function randomTar(): Buffer {
  return tarOf({ random: randomBytes(1000) });
}
