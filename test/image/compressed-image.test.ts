import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { loadImages } from '../../src/image/archive/load-images.ts';
import { saveImages } from '../../src/image/archive/save-images.ts';
import { findImage } from '../../src/image/catalog/find-image.ts';
import type { Image } from '../../src/image/image.ts';
import { compressedLayers } from '../../src/image/transfer/compressed-layers.ts';
import { layerFinder } from '../../src/image/transfer/origin-source.ts';
import { unpackImage } from '../../src/image/transfer/unpack.ts';
import { OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from '../../src/oci/media-types.ts';
import { parseManifestOrIndex } from '../../src/oci/parse-manifest.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { addImage } from '../support/image/busybox-image.ts';
import { temporaryHost } from '../support/image/image-host.ts';
import type { TestHost } from '../support/image/test-host.ts';
import { unpackingHost } from '../support/image/unpacking-host.ts';
import { tarBytes } from '../support/layer/tar-bytes.ts';

const LOWER = tarBytes([{ path: 'big', content: Buffer.alloc(3_000_000, 'lower ') }]);
const UPPER = tarBytes([{ path: 'small', content: 'upper' }]);

async function compress(host: TestHost, image: Image, format: 'gzip' | 'zstd', mayBeDocker = false) {
  const forms = compressedLayers(host.store, {
    format,
    mayBeDocker,
    find: layerFinder(host.engine, host.store),
  });
  const made = image.manifest.layers.map((_, position) => forms.layer(image, position, host.call));
  const descriptor = image.manifestDescriptor;
  const form = forms.manifest(image, await Promise.all(made)) ?? {
    descriptor,
    content: await host.store.blobs.read(descriptor.digest),
  };
  const parsed = parseManifestOrIndex(form.content, form.descriptor.mediaType);
  return { form, layers: parsed.kind === 'manifest' ? parsed.manifest.layers : [] };
}

const compressions = (host: { events: readonly { type: string; state?: string }[] }) =>
  host.events.filter((event) => event.state === 'compressing').length;

test('a built image is compressed once, in each format, and keeps its ID', async () => {
  await using host = await temporaryHost();
  await addImage(host.store, { reference: 'built', layers: [LOWER, UPPER] });
  const image = (await findImage(host.store, 'built'))!;
  const gzip = await compress(host, image, 'gzip');
  expect(gzip.layers.map(({ mediaType }) => mediaType)).toEqual([OCI_LAYER_GZIP, OCI_LAYER_GZIP]);
  const zstd = await compress(host, image, 'zstd');
  expect(zstd.layers.map(({ mediaType }) => mediaType)).toEqual([OCI_LAYER_ZSTD, OCI_LAYER_ZSTD]);
  const done = compressions(host);
  expect(done).toBeGreaterThan(0);
  expect((await compress(host, image, 'gzip')).form.descriptor).toEqual(gzip.form.descriptor);
  expect(compressions(host)).toBe(done);
  for (const { digest, size } of [...gzip.layers, ...zstd.layers]) {
    expect(await host.store.blobs.stat(digest)).toEqual({ digest, sizeBytes: size });
  }
  expect(readdirSync(join(host.store.paths.root, 'partial'))).toEqual([]);
});

test('two that need a form at once compress it once', async () => {
  await using host = await temporaryHost();
  await addImage(host.store, { reference: 'built', layers: [LOWER] });
  const image = (await findImage(host.store, 'built'))!;
  await compress(host, image, 'gzip');
  const alone = compressions(host);
  const [layer] = (await compress(host, image, 'gzip')).layers;
  await host.store.blobs.delete(layer!.digest);
  await Promise.all([1, 2, 3].map(async () => await compress(host, image, 'gzip')));
  expect(compressions(host)).toBe(2 * alone);
});

test("a layer that is not what its image's config says never passes for the one that it names", async () => {
  await using host = await temporaryHost();
  const { store } = host;
  const { id, descriptor, diffIds } = await addImage(store, { reference: 'built', layers: [LOWER] });
  const image = (await findImage(store, 'built'))!;
  const { digest, sizeBytes } = await store.blobs.put(gzipSync(UPPER));
  const layers = [{ mediaType: OCI_LAYER_GZIP, digest, size: sizeBytes }];
  const lying = JSON.stringify({ ...image.manifest, layers });
  const manifest = await store.blobs.put(lying);
  const root = { mediaType: descriptor.mediaType, digest: manifest.digest, size: manifest.sizeBytes };
  await store.refs.put(parseReference('lying:1'), root);
  const output = join(host.folder, 'lying.tar');
  await expect(
    saveImages(host.engine, host.call, ['lying:1'], { format: 'docker-archive', output }),
  ).rejects.toMatchObject({
    code: 'digest-mismatch',
  });
  expect((await store.compressed.get(diffIds[0]!)).forms).toEqual([]);
  const honest = (await compress(host, image, 'gzip')).layers[0]!;
  expect(honest.digest).not.toBe(digest);
  expect(image.id).toBe(id);
});

test.each(['gzip', 'zstd'] as const)(
  'saved with %s, read by skopeo and loaded as the same image',
  async (format) => {
    await using host = await temporaryHost();
    const { id } = await addImage(host.store, { reference: 'built', layers: [LOWER, UPPER] });
    const path = join(host.folder, 'saved.tar');
    await saveImages(host.engine, host.call, ['built'], {
      format: 'oci-archive',
      output: path,
      compression: format,
    });
    expect((await stat(path)).size).toBeLessThan(100_000);
    execFileSync('skopeo', [
      '--insecure-policy',
      'copy',
      `oci-archive:${path}`,
      `oci-archive:${host.folder}/copy.tar:copy`,
    ]);
    for (const file of [path, join(host.folder, 'copy.tar')]) {
      await using to = await unpackingHost();
      expect((await loadImages(to.engine, to.call, { path: file }))[0]?.ids).toEqual([id]);
      await unpackImage(to.engine, to.call, (await findImage(to.store, id))!);
    }
  },
);

test('an unpacked image is saved without looking for sizes, and comes back the same', async () => {
  await using host = await unpackingHost();
  const { id } = await addImage(host.store, { reference: 'built', layers: [LOWER, UPPER] });
  const layout = join(host.folder, 'layout');
  await saveImages(host.engine, host.call, ['built'], { format: 'oci-dir', output: layout });
  await using to = await unpackingHost();
  await loadImages(to.engine, to.call, { path: layout });
  const image = (await findImage(to.store, id))!;
  await unpackImage(to.engine, to.call, image);
  for (const [position, diffId] of image.config.rootfs.diff_ids.entries()) {
    const { plainSizeBytes } = await to.store.compressed.get(diffId);
    expect(plainSizeBytes).toBe([LOWER, UPPER][position]!.length);
  }
  const path = join(to.folder, 'plain.tar');
  await saveImages(to.engine, to.call, [id], { format: 'docker-archive', output: path });
  await using back = await temporaryHost();
  await loadImages(back.engine, back.call, { path });
  const layers = (await findImage(back.store, id))!.manifest.layers;
  expect(layers.map(({ mediaType, size }) => [mediaType, size])).toEqual([
    [OCI_LAYER, LOWER.length],
    [OCI_LAYER, UPPER.length],
  ]);
});
