import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { unpackImage } from '../../src/image/transfer/unpack.ts';
import { digestHex } from '../../src/oci/digest.ts';
import { type Behaviour, FakeRegistry } from '../support/registry/fake-registry.ts';
import { here, one, type PullWorld, pullWorld, statesOf } from '../support/registry/pull-world.ts';
import { addToFake, imageOf, layerOf, type RemoteLayer, tarOf } from '../support/registry/remote-image.ts';

const large = randomBytes(4 * 1024 * 1024);
const tar = tarOf({ first: 'first', large, last: 'last' });
const FORMS = { none: layerOf(tar, 'none'), gzip: layerOf(tar), zstd: layerOf(tar, 'zstd') };
/** The registry waits for what happens here, however long that takes. */
const PATIENT = { stallMs: 3_600_000 };
/** Of a blob, what is left to be sent byte by byte. */
const SLOW_BYTES = 20_000;

/** What the layer's unpacking has made before the layer is there. */
function staging(w: PullWorld, { diffId }: RemoteLayer): string {
  return join(w.host.store.paths.root, 'snapshots/overlay/staging', digestHex(diffId));
}

async function layerContent(w: PullWorld, layer: RemoteLayer, path: string): Promise<Buffer | undefined> {
  const info = await w.host.snapshotter.stat([layer.diffId]);
  return await w.host.snapshotter.readFile({ parents: [info!.key] }, path, 2 * large.length);
}

/** Files of the store that this process has open. */
function openFiles(w: PullWorld): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(w.host.folder) && !path.includes('/lease') ? [path] : [];
    } catch {
      return [];
    }
  });
}

/**
 * Sends a blob so that it is unpacked meanwhile: all but its end, then byte by byte until its first file is there. Gives
 * how many bytes were sent.
 */
async function sendSlowly(w: PullWorld, layer: RemoteLayer, response: ServerResponse, content: Buffer) {
  let sent = content.length - SLOW_BYTES;
  response.writeHead(200, { 'content-length': content.length });
  response.write(content.subarray(0, sent));
  const early = join(staging(w, layer), 'fs/first');
  for (; !existsSync(early) && sent < content.length - 100; sent++) {
    response.write(content.subarray(sent, sent + 1));
    await setTimeout(20);
  }
  expect(existsSync(early)).toBe(true);
  return sent;
}

describe.each(Object.entries(FORMS))('%s', (_name, layer) => {
  const blob = new RegExp(`blobs/${layer.descriptor.digest}`);

  test('a layer is unpacked while it comes, and is there only when all of it has come', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await pullWorld(PATIENT);
    addToFake(fake, '1', imageOf({ layers: [layer, one], platform: here }));
    fake.on('GET', blob, async ({ response }) => {
      const sent = await sendSlowly(w, layer, response, layer.content);
      expect(await w.host.snapshotter.stat([layer.diffId])).toBeUndefined();
      response.end(layer.content.subarray(sent));
    });
    const { image } = await w.pull(`${fake.host}/a/b:1`);
    expect(await unpackImage(w.host.engine, w.host.call, image)).toHaveLength(2);
    expect((await layerContent(w, layer, 'large'))?.equals(large)).toBe(true);
    expect(statesOf(w.events, layer.descriptor.digest)).toEqual([
      'waiting',
      'downloading',
      'downloaded',
      'unpacking',
      'unpacked',
    ]);
    expect(fake.seen('GET', blob)).toHaveLength(1);
    const { plainSizeBytes } = await w.host.store.compressed.get(layer.diffId);
    expect(plainSizeBytes).toBe(layer === FORMS.none ? undefined : tar.length);
    expect(openFiles(w)).toEqual([]);
  });

  test('where a mirror’s bytes turn out to be wrong, the unpacking begins anew', async () => {
    for (const at of [1_000_000, layer.content.length - 50]) {
      await using mirror = await FakeRegistry.start();
      await using fake = await FakeRegistry.start();
      await using w = await pullWorld(PATIENT);
      for (const registry of [mirror, fake]) {
        addToFake(registry, '1', imageOf({ layers: [layer], platform: here }));
      }
      const wrong = Buffer.from(layer.content);
      wrong[at]! ^= 1;
      mirror.on('GET', blob, async ({ response }) => {
        response.end(wrong.subarray(await sendSlowly(w, layer, response, wrong)));
      });
      await w.config.write(
        'etc/containers/registries.conf',
        `[[registry]]\nlocation = "${fake.host}"\n[[registry.mirror]]\nlocation = "${mirror.host}"\n`,
      );
      await w.pull(`${fake.host}/a/b:1`);
      expect((await layerContent(w, layer, 'large'))?.equals(large)).toBe(true);
      expect((await layerContent(w, layer, 'last'))?.toString()).toBe('last');
      expect(openFiles(w)).toEqual([]);
    }
  });

  test('an abort leaves nothing unpacked, and a source that cannot continue is unpacked from its start', async () => {
    await using fake = await FakeRegistry.start();
    await using w = await pullWorld(PATIENT);
    addToFake(fake, '1', imageOf({ layers: [layer], platform: here }));
    const controller = new AbortController();
    const sendSome = async ({ response }: Parameters<Behaviour>[0]) => {
      await sendSlowly(w, layer, response, layer.content);
      controller.abort();
    };
    fake.on('GET', blob, sendSome, 1);
    const pulling = w.pull(`${fake.host}/a/b:1`, { signal: controller.signal });
    await expect(pulling).rejects.toMatchObject({ code: 'aborted' });
    expect(existsSync(staging(w, layer))).toBe(false);
    expect(openFiles(w)).toEqual([]);
    fake.on('GET', blob, async ({ serve }) => await serve({ ignoreRange: true }), 1);
    await w.pull(`${fake.host}/a/b:1`);
    expect((await layerContent(w, layer, 'large'))?.equals(large)).toBe(true);
  });
});

test('a layer that is there twice is fetched and unpacked once', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld(PATIENT);
  const layers = [FORMS.gzip, one, FORMS.gzip];
  addToFake(fake, '1', imageOf({ layers, platform: here }));
  const { image } = await w.pull(`${fake.host}/a/b:1`);
  expect(await unpackImage(w.host.engine, w.host.call, image)).toHaveLength(3);
  expect(fake.seen('GET', new RegExp(FORMS.gzip.descriptor.digest))).toHaveLength(1);
});

test('a layer without its diffID is refused, though it was unpacked while it came', async () => {
  await using fake = await FakeRegistry.start();
  await using w = await pullWorld(PATIENT);
  addToFake(fake, '1', imageOf({ layers: [FORMS.zstd], diffIds: [one.diffId], platform: here }));
  fake.on('GET', new RegExp(FORMS.zstd.descriptor.digest), async ({ response }) => {
    const { content } = FORMS.zstd;
    response.end(content.subarray(await sendSlowly(w, one, response, content)));
  });
  await expect(w.pull(`${fake.host}/a/b:1`)).rejects.toMatchObject({ code: 'digest-mismatch' });
  expect(await w.names()).toBe(0);
  expect(readdirSync(join(w.host.store.paths.root, 'snapshots/overlay/staging'))).toEqual([]);
  expect(openFiles(w)).toEqual([]);
});

test.skipIf(availableParallelism() < 2)(
  'a layer that has a core for itself is unpacked from its first bytes on',
  async () => {
    const content = randomBytes(9 * 1024 * 1024);
    for (const form of ['none', 'gzip', 'zstd'] as const) {
      const layer = layerOf(tarOf({ first: 'first', large: content }), form);
      await using fake = await FakeRegistry.start();
      await using w = await pullWorld(PATIENT);
      addToFake(fake, '1', imageOf({ layers: [layer, one], platform: here }));
      const blob = new RegExp(`blobs/${layer.descriptor.digest}`);
      fake.on('GET', blob, async ({ response }) => {
        const half = layer.content.length >> 1;
        response.writeHead(200, { 'content-length': layer.content.length });
        response.write(layer.content.subarray(0, half));
        // No further byte comes before: how long this takes is of no account.
        while (!existsSync(join(staging(w, layer), 'fs/first'))) await setTimeout(20);
        response.end(layer.content.subarray(half));
      });
      await w.pull(`${fake.host}/a/b:1`);
      const info = await w.host.snapshotter.stat([layer.diffId]);
      const file = await w.host.snapshotter.readFile({ parents: [info!.key] }, 'large', 2 * content.length);
      expect(file?.equals(content)).toBe(true);
    }
  },
);
