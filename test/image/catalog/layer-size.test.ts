import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { OcitsError } from '../../../src/errors.ts';
import { requireImage } from '../../../src/image/catalog/find-image.ts';
import { layerSizes, stackSize } from '../../../src/image/catalog/layer-size.ts';
import { unpackImage } from '../../../src/image/transfer/unpack.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST } from '../../../src/oci/media-types.ts';
import { hostPlatform } from '../../../src/oci/platform.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import type { Store } from '../../../src/store/store.ts';
import { unpackingHost } from '../../support/image/unpacking-host.ts';
import { tarBytes } from '../../support/layer/tar-bytes.ts';

/** Folders, links and headers hold nothing. */
const LOWER = tarBytes([
  { path: 'dir', type: 'directory' },
  { path: 'dir/a', content: 'x'.repeat(10_000) },
  { path: 'dir/again', type: 'hardlink', target: 'dir/a' },
  { path: 'link', type: 'symlink', target: 'dir/a' },
]);
const UPPER = tarBytes([{ path: 'b', content: 'yy' }]);
const HELD = [10_000, 2];

async function addCompressed(store: Store, name: string, tars: readonly Uint8Array[]) {
  const put = async (content: Uint8Array | string, mediaType: string) => {
    const { digest, sizeBytes } = await store.blobs.put(content);
    return { mediaType, digest, size: sizeBytes };
  };
  const layers = await Promise.all(tars.map((tar) => put(gzipSync(tar), OCI_LAYER_GZIP)));
  const diffIds = tars.map((tar) => digestOf(tar));
  const config = await put(
    JSON.stringify({ ...hostPlatform(), config: {}, rootfs: { type: 'layers', diff_ids: diffIds } }),
    OCI_CONFIG,
  );
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers });
  await store.refs.put(parseReference(`${name}:latest`), await put(manifest, OCI_MANIFEST));
  return { layers, diffIds };
}

test('a layer has one size: before it is unpacked, after, and when all that was known is lost', async () => {
  await using host = await unpackingHost();
  const { store, engine } = host;
  const { diffIds, layers } = await addCompressed(store, 'app', [LOWER, UPPER]);
  const image = await requireImage(store, 'app');
  expect(await layerSizes(engine, host.call, image)).toEqual(HELD);
  for (const diffId of diffIds) await store.compressed.delete(diffId);
  await unpackImage(engine, host.call, image);
  for (const { digest } of layers) await store.blobs.delete(digest);
  expect(await layerSizes(engine, host.call, image)).toEqual(HELD);
  // It is remembered: nothing needs to be read again.
  await rm(join(store.paths.root, 'indexes'), { recursive: true });
  expect(await layerSizes(engine, host.call, image)).toEqual(HELD);
  expect(await stackSize(engine, diffIds)).toBe(10_002);
});

test('a layer that is gone or damaged has the size that its manifest says, and is counted once it is whole', async () => {
  await using host = await unpackingHost();
  const { store, engine } = host;
  const { layers } = await addCompressed(store, 'app', [LOWER, UPPER]);
  const image = await requireImage(store, 'app');
  const path = store.blobs.path(layers[0]!.digest);
  await chmod(path, 0o600);
  await writeFile(path, 'damaged');
  await store.blobs.delete(layers[1]!.digest);
  expect(await layerSizes(engine, host.call, image)).toEqual([layers[0]!.size, layers[1]!.size]);
  await writeFile(path, gzipSync(LOWER));
  expect(await layerSizes(engine, host.call, image)).toEqual([10_000, layers[1]!.size]);
});

test('a layer that is not the one of its diffID is not remembered as that', async () => {
  await using host = await unpackingHost();
  const { store, engine } = host;
  const { layers, diffIds } = await addCompressed(store, 'app', [LOWER]);
  const image = await requireImage(store, 'app');
  const path = store.blobs.path(layers[0]!.digest);
  await chmod(path, 0o600);
  await writeFile(path, gzipSync(UPPER));
  expect(await layerSizes(engine, host.call, image)).toEqual([layers[0]!.size]);
  expect((await store.compressed.get(diffIds[0]!)).contentBytes).toBeUndefined();
});

test('counting ends when the call does', async () => {
  await using host = await unpackingHost();
  const { store, engine } = host;
  await addCompressed(store, 'app', [LOWER]);
  const image = await requireImage(store, 'app');
  const signal = AbortSignal.abort(new OcitsError('aborted', 'interrupted'));
  await expect(layerSizes(engine, { ...host.call, signal }, image)).rejects.toMatchObject({
    code: 'aborted',
  });
});
