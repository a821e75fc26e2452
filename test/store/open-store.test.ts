import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readdirSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from '../../src/oci/media-types.ts';
import { openStore } from '../../src/store/open-store.ts';
import { temporaryStore } from '../support/image/temporary-store.ts';

test('opening again changes nothing, and closes folders that others could enter', async () => {
  await using made = await temporaryStore();
  const { paths, blobs } = made.store;
  const { digest } = await blobs.put('x');
  chmodSync(paths.root, 0o755);
  chmodSync(paths.run, 0o777);
  const again = await openStore(paths);
  expect(await again.blobs.stat(digest)).toBeDefined();
  for (const folder of [paths.root, paths.run]) expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('opening clears away what killed processes had under way, but for what can be resumed', async () => {
  await using made = await temporaryStore();
  const partial = join(made.store.paths.root, 'partial');
  const { pid } = spawnSync('true');
  const kept = [`.tmp-${process.pid}-x`, 'sha256-x'];
  for (const name of [`.tmp-${pid}-x`, ...kept]) await writeFile(join(partial, name), 'x');
  await openStore(made.store.paths);
  expect(readdirSync(partial)).toEqual(kept);
});

test.runIf(process.getuid?.() === 0)("refuses somebody else's folder", async () => {
  await using made = await temporaryStore();
  const { paths } = made.store;
  chownSync(paths.run, 12345, 12345);
  await expect(openStore(paths)).rejects.toMatchObject({ code: 'permission' });
});

test('compressed forms: several a layer, and a damaged file counts as none', async () => {
  await using made = await temporaryStore();
  const { compressed, paths } = made.store;
  const diffId = digestOf('layer');
  const gzip = { mediaType: OCI_LAYER_GZIP, digest: digestOf('gzip'), size: 3 };
  const zstd = { mediaType: OCI_LAYER_ZSTD, digest: digestOf('zstd'), size: 2 };
  const unknown = { forms: [], plainSizeBytes: undefined };
  expect(await compressed.get(diffId)).toEqual(unknown);
  await compressed.add(diffId, { ...gzip, annotations: { a: 'b' } });
  await compressed.add(diffId, gzip, 10);
  await compressed.add(diffId, zstd);
  expect(await compressed.get(diffId)).toEqual({ forms: [gzip, zstd], plainSizeBytes: 10 });
  expect(await compressed.diffIds()).toEqual([diffId]);
  await writeFile(join(paths.root, 'compressed', diffId.replace(':', '-')), '{"forms":[{"mediaType":');
  expect(await compressed.get(diffId)).toEqual(unknown);
  await compressed.delete(diffId);
  await compressed.delete(diffId);
  expect(await compressed.diffIds()).toEqual([]);
});

test('leases: many readers or one collector', async () => {
  await using made = await temporaryStore();
  const { leases } = made.store;
  const one = await leases.shared();
  const two = await leases.shared();
  expect(await leases.tryExclusive(0)).toBeUndefined();
  let hasWaited = false;
  const collector = leases.exclusive(undefined, () => {
    hasWaited = true;
    void one.release();
    void two.release();
  });
  const held = await collector;
  expect(hasWaited).toBe(true);
  await held.release();
  await (await leases.tryExclusive(0))?.release();
});
