import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { blobOrigins } from '../../src/image/blob-origins.ts';
import type { ImageHost } from '../../src/image/image.ts';
import { ensureLayers, type PullRequest, pullImage } from '../../src/image/pull.ts';
import { unpackImage } from '../../src/image/unpack.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { hostPlatform, type Platform, parsePlatform } from '../../src/oci/platform.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { LayerEvent, ProgressEvent } from '../../src/progress.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { openStore } from '../../src/store/open-store.ts';
import { runTool } from '../../src/system/spawn.ts';
import { FakeRegistry, sendError } from '../support/fake-registry.ts';
import { startRegistry } from '../support/registry.ts';
import { type ConfigHost, configHost } from '../support/registry-config.ts';
import {
  addToFake,
  imageOf,
  indexOf,
  layerOf,
  type RemoteImage,
  tarOf,
  uploadImage,
} from '../support/remote-image.ts';
import { unpackingHost } from '../support/unpacking-host.ts';

const here = hostPlatform();
const elsewhere: Platform = parsePlatform(here.architecture === 's390x' ? 'linux/riscv64' : 'linux/s390x');

const one = layerOf(tarOf({ 'etc/': '', 'etc/one': 'first' }));
const two = layerOf(tarOf({ 'etc/two': 'second' }), 'zstd');
const three = layerOf(tarOf({ 'usr/': '', 'usr/three': 'third' }), 'none');

interface World extends AsyncDisposable {
  readonly host: ImageHost & { readonly folder: string };
  readonly events: ProgressEvent[];
  readonly config: ConfigHost;
  readonly registry: Registry;
  pull(name: string, more?: Partial<PullRequest>): ReturnType<typeof pullImage>;
}

async function world(): Promise<World> {
  const host = await unpackingHost();
  const config = await configHost();
  const registry = config.registry();
  return {
    host,
    events: host.events,
    config,
    registry,
    pull: (name, more = {}) =>
      pullImage(host, registry, { reference: parseReference(name), policy: 'always', ...more }),
    async [Symbol.asyncDispose]() {
      await config[Symbol.asyncDispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}

function states(events: readonly ProgressEvent[], digest: Digest): string[] {
  const own = events.filter(
    (event): event is LayerEvent => event.type === 'layer' && event.digest === digest,
  );
  return own.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]);
}

const readText = async (host: ImageHost, keys: readonly Digest[], path: string) =>
  (await host.snapshotter.readFile({ parents: keys }, path, 1000))?.toString();

/** What of an image a failed pull may leave: nothing that has a name. */
async function names(host: ImageHost): Promise<number> {
  return (await host.store.refs.list()).length;
}

describe('from a real registry', () => {
  test('an image with gzip, zstd and plain layers, out of an index', async () => {
    await using server = await startRegistry();
    await using w = await world();
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
    const keys = await unpackImage(w.host, image);
    expect(await readText(w.host, keys, 'etc/one')).toBe('first');
    expect(await readText(w.host, keys, 'etc/two')).toBe('second');
    expect(await readText(w.host, keys, 'usr/three')).toBe('third');
    for (const { descriptor } of [one, two, three]) {
      const seen = states(w.events, descriptor.digest);
      expect(seen.filter((state) => state !== 'downloading')).toEqual([
        'waiting',
        'downloaded',
        'unpacking',
        'unpacked',
      ]);
      expect(await blobOrigins(w.host.store, descriptor.digest)).toEqual([
        { domain: server.host, path: 'a/b' },
      ]);
    }
    expect((await w.host.store.compressed.get(one.diffId)).forms).toEqual([one.descriptor]);
  });

  test('Docker’s types, in an index of Docker’s', async () => {
    await using server = await startRegistry();
    await using w = await world();
    const layer = layerOf(tarOf({ a: 'docker' }), 'gzip', true);
    const list = indexOf([imageOf({ layers: [layer], platform: here, docker: true })], true);
    await uploadImage(server.url, 'a/b', '1', list);
    const { image, root } = await w.pull(`${server.host}/a/b:1`);
    expect(root.mediaType).toBe(list.descriptor.mediaType);
    expect(image.manifestDescriptor.mediaType).toBe(DOCKER_MANIFEST);
    expect(await readText(w.host, await unpackImage(w.host, image), 'a')).toBe('docker');
  });

  test('a layer that is there twice in an image, and an image without layers', async () => {
    await using server = await startRegistry();
    await using w = await world();
    await uploadImage(server.url, 'a/b', 'twice', imageOf({ layers: [one, two, one], platform: here }));
    await uploadImage(server.url, 'a/b', 'none', imageOf({ layers: [], platform: here }));
    const { image } = await w.pull(`${server.host}/a/b:twice`);
    expect(await unpackImage(w.host, image)).toHaveLength(3);
    expect(await unpackImage(w.host, (await w.pull(`${server.host}/a/b:none`)).image)).toEqual([]);
  });

  test('by digest', async () => {
    await using server = await startRegistry();
    await using w = await world();
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

describe('what is there', () => {
  test('all of it: one HEAD, and nothing else', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    addToFake(fake, '1', indexOf([imageOf({ layers: [one, two], platform: here })]));
    const first = await w.pull(`${fake.host}/a/b:1`);
    fake.requests.length = 0;
    w.events.length = 0;
    const second = await w.pull(`${fake.host}/a/b:1`);
    expect(second).toMatchObject({ upToDate: true, root: first.root, image: { id: first.image.id } });
    expect(fake.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'HEAD /v2/a/b/manifests/1',
    ]);
    expect(states(w.events, one.descriptor.digest)).toEqual(['exists']);
    expect(w.events.findLast(({ type }) => type === 'image')).toMatchObject({ state: 'up-to-date' });
  });

  test('some layers: only the others are fetched and unpacked', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    addToFake(fake, '1', imageOf({ layers: [one, two], platform: here }));
    addToFake(fake, '2', imageOf({ layers: [one, two, three], platform: here }));
    await w.pull(`${fake.host}/a/b:1`);
    fake.requests.length = 0;
    w.events.length = 0;
    await w.pull(`${fake.host}/a/b:2`);
    const fetched = fake.seen('GET', /blobs/).map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
    expect(fetched).toContain(three.descriptor.digest);
    expect(fetched).not.toContain(one.descriptor.digest);
    expect(states(w.events, one.descriptor.digest)).toEqual(['exists']);
    expect(states(w.events, three.descriptor.digest)).toContain('unpacked');
  });

  test('a tag that has moved', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    addToFake(fake, '1', imageOf({ layers: [one], platform: here }));
    const before = await w.pull(`${fake.host}/a/b:1`);
    const moved = imageOf({ layers: [two], platform: here });
    addToFake(fake, '1', moved);
    const missing = await w.pull(`${fake.host}/a/b:1`, { policy: 'missing' });
    expect(missing).toMatchObject({ upToDate: true, image: { id: before.image.id } });
    const after = await w.pull(`${fake.host}/a/b:1`);
    expect(after.root.digest).toBe(moved.descriptor.digest);
    expect((await w.host.store.refs.anonymous()).map(({ descriptor }) => descriptor.digest)).toEqual([
      before.root.digest,
    ]);
  });

  test('a blob that went missing is fetched again, a snapshot that went missing is unpacked again', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    addToFake(fake, '1', imageOf({ layers: [one, three], platform: here }));
    const { image } = await w.pull(`${fake.host}/a/b:1`);
    await w.host.store.blobs.delete(one.descriptor.digest);
    const [, top] = await unpackImage(w.host, image);
    await w.host.snapshotter.remove(top!);
    w.events.length = 0;
    fake.requests.length = 0;
    expect((await w.pull(`${fake.host}/a/b:1`)).upToDate).toBe(false);
    expect(states(w.events, one.descriptor.digest)).not.toContain('unpacked');
    expect(states(w.events, three.descriptor.digest)).toContain('unpacked');
    expect(fake.seen('GET', /blobs/)).toHaveLength(1);
    expect((await w.pull(`${fake.host}/a/b:1`)).upToDate).toBe(true);
  });

  test('the policies', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    addToFake(fake, '1', imageOf({ layers: [one], platform: here }));
    const name = `${fake.host}/a/b:1`;
    await expect(w.pull(name, { policy: 'never' })).rejects.toMatchObject({
      code: 'not-found',
      hint: `fetch it with: ocits pull ${name}`,
    });
    expect(fake.requests).toEqual([]);
    expect((await w.pull(name, { policy: 'missing' })).upToDate).toBe(false);
    fake.requests.length = 0;
    expect((await w.pull(name, { policy: 'missing' })).upToDate).toBe(true);
    expect((await w.pull(name, { policy: 'never' })).upToDate).toBe(true);
    expect(fake.requests).toEqual([]);
    await fake[Symbol.asyncDispose]();
    await expect(w.pull(name)).rejects.toMatchObject({ code: 'network' });
    expect((await w.pull(name, { policy: 'newer' })).upToDate).toBe(true);
    await expect(w.pull(`${fake.host}/a/c:1`, { policy: 'newer' })).rejects.toMatchObject({
      code: 'network',
    });
  });

  test('only as much as is wanted, and the rest later', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    addToFake(fake, '1', imageOf({ layers: [one, two], platform: here }));
    const name = `${fake.host}/a/b:1`;
    const { image } = await w.pull(name, { depth: 'config' });
    expect(fake.seen('GET', /blobs/)).toHaveLength(1);
    expect(await names(w.host)).toBe(0);
    await expect(unpackImage(w.host, image)).rejects.toMatchObject({ code: 'not-found' });
    await ensureLayers(w.host, w.registry, image, { depth: 'layers' });
    expect(fake.seen('GET', /blobs/)).toHaveLength(3);
    expect(w.events.some((event) => event.type === 'layer' && event.state === 'unpacking')).toBe(false);
    expect(await unpackImage(w.host, image)).toHaveLength(2);
    await ensureLayers(w.host, w.registry, image);
    expect(fake.seen('GET', /blobs/)).toHaveLength(3);
  });
});

describe('platforms', () => {
  test('one that is asked for, beside another one', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    const own = imageOf({ layers: [one], platform: here });
    const other = imageOf({ layers: [two], platform: elsewhere });
    addToFake(fake, '1', indexOf([own, other]));
    const foreign = await w.pull(`${fake.host}/a/b:1`, { platform: elsewhere });
    expect(foreign.image.manifestDescriptor.digest).toBe(other.descriptor.digest);
    const native = await w.pull(`${fake.host}/a/b:1`);
    expect(native.upToDate).toBe(false);
    expect(native.image.manifestDescriptor.digest).toBe(own.descriptor.digest);
    expect((await w.pull(`${fake.host}/a/b:1`, { platform: elsewhere })).upToDate).toBe(true);
  });

  test('one that is not there: what there is is told', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    addToFake(fake, '1', indexOf([imageOf({ layers: [one], platform: elsewhere })]));
    await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({
      code: 'wrong-platform',
      message: expect.stringContaining(`there is ${elsewhere.os}/${elsewhere.architecture}`),
    });
    expect(await names(w.host)).toBe(0);
  });

  test('an image of another platform outside an index: pulled with a warning, refused where one is asked for', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    addToFake(fake, '1', imageOf({ layers: [one], platform: elsewhere }));
    await expect(w.pull(`${fake.host}/a/b:1`, { platform: here })).rejects.toMatchObject({
      code: 'wrong-platform',
    });
    await w.pull(`${fake.host}/a/b:1`);
    expect(w.events).toContainEqual(expect.objectContaining({ level: 'warning' }));
    expect((await w.pull(`${fake.host}/a/b:1`)).upToDate).toBe(true);
  });
});

describe('what must not be taken', () => {
  async function refused(image: RemoteImage, code: string): Promise<void> {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    addToFake(fake, '1', image);
    await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code });
    expect(await names(w.host)).toBe(0);
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
    await using w = await world();
    addToFake(fake, '1', imageOf({ layers: [lying], platform: here }));
    await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({
      code: expect.stringMatching(/corrupt|hostile/),
    });
    expect(await names(w.host)).toBe(0);
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
    await using w = await world();
    addToFake(fake, '1', imageOf({ layers: [one], platform: here }));
    const flip = (body: Buffer) => Buffer.from(body).fill(0xff, 20, 30);
    fake.on('GET', new RegExp(one.descriptor.digest), ({ serve }) => serve({ change: flip }), 1);
    await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(await names(w.host)).toBe(0);
    expect(await w.host.store.blobs.stat(one.descriptor.digest)).toBeUndefined();
    expect(await readdir(join(w.host.store.paths.root, 'partial'))).toEqual([]);
    expect((await w.pull(`${fake.host}/a/b:1`)).upToDate).toBe(false);
  });

  test('a config of other content than its digest', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    const image = imageOf({ layers: [], platform: here });
    addToFake(fake, '1', image);
    fake.on('GET', /blobs/, ({ serve }) => serve({ change: (body) => Buffer.from(body).fill(0x20, 5, 8) }));
    await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'digest-mismatch' });
  });

  test('Docker’s schema 1', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
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
    await using w = await world();
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
    await using w = await world();
    fake.addManifest('1', content, type);
    await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'hostile' });
    for await (const blob of w.host.store.blobs.list()) throw new Error(`kept ${blob.digest}`);
  });

  test('a manifest of another type than its index announces', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    const image = imageOf({ layers: [one], platform: here });
    addToFake(fake, undefined, image);
    const entry = { ...image.descriptor, mediaType: DOCKER_MANIFEST };
    fake.addManifest('1', { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] }, OCI_INDEX);
    await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'hostile' });
  });

  test('indexes within indexes', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
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
});

describe('interruptions', () => {
  const large = randomBytes(4 * 1024 * 1024);
  const big = layerOf(tarOf({ large }), 'none');

  test('an aborted pull keeps what came, and the next one fetches only the rest', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    addToFake(fake, '1', imageOf({ layers: [big, one], platform: here }));
    const controller = new AbortController();
    const blob = new RegExp(`blobs/${big.descriptor.digest}`);
    fake.on(
      'GET',
      blob,
      async ({ serve }) => {
        await serve({ after: 3 * 1024 * 1024, how: 'stall' });
        setTimeout(() => controller.abort(), 100);
      },
      1,
    );
    await expect(w.pull(`${fake.host}/a/b:1`, { signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(await names(w.host)).toBe(0);
    fake.requests.length = 0;
    const { image } = await w.pull(`${fake.host}/a/b:1`);
    expect(fake.sentBytes(blob)).toBeLessThanOrEqual(big.content.length - 2.5 * 1024 * 1024);
    expect(await unpackImage(w.host, image)).toHaveLength(2);
  });

  test('a full disk is said to be one, and nothing is named', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    addToFake(fake, '1', imageOf({ layers: [big], platform: here }));
    const { root } = w.host.store.paths;
    await runTool('mount', ['-t', 'tmpfs', '-o', 'size=2m,mode=0700', 'small', root]);
    try {
      await openStore(w.host.store.paths);
      await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({
        code: 'disk-full',
        hint: expect.stringContaining('prune'),
      });
      expect(await names(w.host)).toBe(0);
    } finally {
      await runTool('umount', [root]);
    }
    expect((await w.pull(`${fake.host}/a/b:1`)).upToDate).toBe(false);
  });

  test('the first failure ends the other layers’ downloads', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await world();
    addToFake(fake, '1', imageOf({ layers: [big, one], platform: here }));
    fake.on('GET', new RegExp(big.descriptor.digest), ({ serve }) => serve({ after: 1024, how: 'stall' }));
    fake.on('GET', new RegExp(one.descriptor.digest), ({ response }) => sendError(response, 403, 'DENIED'));
    const started = performance.now();
    await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'denied' });
    expect(performance.now() - started).toBeLessThan(300);
  });

  test('a mirror with wrong bytes is left for the registry', async () => {
    await using mirror = await FakeRegistry.start();
    await using fake = await FakeRegistry.start();
    await using w = await world();
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
});

test('progress within a layer is told ten times a second at most', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await world();
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
  await using w = await world();
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
