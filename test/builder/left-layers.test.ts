import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ensureSnapshots } from '../../src/container/create/ensure-image.ts';
import { loadImages } from '../../src/image/archive/load-images.ts';
import { saveImages } from '../../src/image/archive/save-images.ts';
import { pruneImages } from '../../src/image/garbage/prune-images.ts';
import type { Image } from '../../src/image/image.ts';
import { pushImages } from '../../src/image/transfer/push-images.ts';
import { hostPlatform } from '../../src/oci/platform.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { buildHost, type TestBuildHost } from '../support/builder/build-host.ts';
import { busyboxLayer } from '../support/image/busybox-image.ts';
import { temporaryHost } from '../support/image/image-host.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';
import { addToFake, imageOf, layerOf, tarOf } from '../support/registry/remote-image.ts';

/** Has busybox, which the store has, a layer that it lacks, and one that the registry keeps uncompressed. */
let registry: FakeRegistry;
let folder: string;
beforeAll(async () => {
  registry = await FakeRegistry.start();
  const layers = [
    layerOf(await busyboxLayer()),
    layerOf(tarOf({ packed: 'packed\n'.repeat(1000) })),
    layerOf(tarOf({ plain: 'plain\n'.repeat(1000) }), 'none'),
  ];
  addToFake(registry, 'latest', imageOf({ layers, platform: hostPlatform() }));
  folder = await mkdtemp(join(tmpdir(), 'ocits-left-'));
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** An image on a base of which only the manifest and the configuration were fetched. */
async function linked(): Promise<{ readonly made: TestBuildHost; readonly image: Image }> {
  const made = await buildHost();
  await writeFile(join(made.context, 'f'), 'mine\n');
  registry.requests.length = 0;
  const image = await made.build(`FROM ${registry.host}/base\nCOPY --link f /f\n`, { tags: ['linked'] });
  expect(layersAsked(image)).toEqual([0, 0]);
  return { made, image };
}

/** How often each layer that the store lacks was fetched. */
function layersAsked({ manifest }: Image): number[] {
  return manifest.layers
    .slice(1, 3)
    .map(
      ({ digest }) =>
        registry.requests.filter((seen) => seen.path.includes(digest) && seen.method === 'GET').length,
    );
}

describe('an image whose layers were left in the registry', () => {
  test.each([
    ['docker-archive', undefined],
    ['oci-archive', undefined],
    ['oci-archive', 'zstd'],
    ['oci-dir', undefined],
  ] as const)('is saved as %s (%s), twice, and loaded elsewhere', async (format, compression) => {
    const { made, image } = await linked();
    await using _made = made;
    const output = join(folder, `${format}-${compression}`);
    await saveImages(made.engine, made.call, ['linked'], { format, output, compression });
    await saveImages(made.engine, made.call, ['linked'], { format, output: `${output}-2`, compression });
    expect(layersAsked(image)).toEqual([1, 1]);
    await using other = await temporaryHost();
    const [loaded] = await loadImages(other.engine, other.call, { path: output });
    expect(loaded?.ids).toEqual([image.id]);
  });

  test('is run, built upon and copied from', async () => {
    const { made, image } = await linked();
    await using _made = made;
    const text =
      'FROM linked\nRUN cat /f && head -n 1 /packed /plain\nFROM scratch\nCOPY --from=linked /f /plain /\n';
    await made.build(`${text}COPY --from=0 /f /again\n`, { noCache: true });
    expect(made.output()).toBe('mine\n==> /packed <==\npacked\n\n==> /plain <==\nplain\n');
    expect(layersAsked(image)).toEqual([1, 1]);
  });

  test('is unpacked for a container', async () => {
    const { made, image } = await linked();
    await using _made = made;
    expect(await ensureSnapshots(made.engine, made.call, image)).toHaveLength(4);
    expect(layersAsked(image)).toEqual([1, 1]);
    // The store has the lowest one in another form.
    expect(registry.requests.filter(({ path }) => path.includes(image.manifest.layers[0]!.digest))).toEqual(
      [],
    );
  });

  test('is pushed to another registry', async () => {
    const { made, image } = await linked();
    await using _made = made;
    await using other = await FakeRegistry.start();
    const reference = parseReference(`${other.host}/elsewhere:1`);
    await made.store.refs.put(reference, image.manifestDescriptor);
    await pushImages(made.engine, made.call, { references: [reference] });
    expect(layersAsked(image)).toEqual([1, 1]);
    const manifest = JSON.parse(other.manifests.get('1')!.content.toString());
    expect(manifest.layers.every(({ digest }: { digest: string }) => other.blobs.has(digest))).toBe(true);
  });

  test('is still whole after a prune, and with a repository that has it no more', async () => {
    const { made, image } = await linked();
    await using _made = made;
    await pruneImages(made.engine, made.call, {});
    await using gone = await FakeRegistry.start();
    const left = image.manifest.layers.slice(1, 3).map(({ digest }) => digest);
    await made.store.origins.add(left, parseReference(`${gone.host}/gone`));
    const output = join(folder, 'after-prune.tar');
    await saveImages(made.engine, made.call, ['linked'], { format: 'docker-archive', output });
    expect(layersAsked(image)).toEqual([1, 1]);
    expect(gone.requests).not.toHaveLength(0);
  });
});
