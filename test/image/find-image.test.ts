import { expect, test } from 'vitest';
import { findImage, requireImage } from '../../src/image/catalog/find-image.ts';
import { listImages } from '../../src/image/catalog/list-images.ts';
import { removeImage } from '../../src/image/garbage/remove-image.ts';
import { digestHex, digestOf } from '../../src/oci/digest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { hostPlatform, parsePlatform } from '../../src/oci/platform.ts';
import { familiarName, parseReference } from '../../src/oci/reference.ts';
import { addImage } from '../support/image/busybox-image.ts';
import { temporaryHost } from '../support/image/image-host.ts';
import { addIndex } from '../support/image/stored-index.ts';
import { temporaryStore } from '../support/image/temporary-store.ts';
import { tarBytes } from '../support/layer/tar-bytes.ts';

const LAYER = tarBytes([{ path: 'hello', content: 'hello' }]);
const ARM = parsePlatform('linux/arm64');
const S390 = parsePlatform('linux/s390x');

test('finds an image by all that Docker takes for its name or ID', async () => {
  await using made = await temporaryStore();
  const { store } = made;
  const image = await addImage(store, { reference: 'node:20', layers: [LAYER] });
  await store.refs.put(parseReference(`node@${image.descriptor.digest}`), image.descriptor);
  const hex = digestHex(image.id);
  const spellings = [
    'node:20',
    'docker.io/library/node:20',
    `node@${image.descriptor.digest}`,
    `node:20@${image.descriptor.digest}`,
    image.id,
    hex,
    hex.slice(0, 12),
    hex.slice(0, 1),
    `sha256:${hex.slice(0, 5)}`,
    image.descriptor.digest,
  ];
  for (const spelling of spellings) expect((await findImage(store, spelling))?.id, spelling).toBe(image.id);
  expect((await findImage(store, 'node:20'))?.reference).toEqual(parseReference('node:20'));
  expect((await findImage(store, hex))?.reference).toBeUndefined();
  for (const other of ['node', 'node:21', digestOf('x'), `x@${image.descriptor.digest}`, 'zzz']) {
    expect(await findImage(store, other), other).toBeUndefined();
  }
  await expect(findImage(store, 'Node:20')).rejects.toMatchObject({ code: 'invalid-reference' });
  await expect(requireImage(store, 'node')).rejects.toMatchObject({ code: 'not-found' });
});

test('a digest also finds what only a tag of the same repository names', async () => {
  await using made = await temporaryStore();
  const image = await addImage(made.store, { reference: 'hello', layers: [LAYER] });
  const found = await findImage(made.store, `hello@${image.descriptor.digest}`);
  expect(found?.id).toBe(image.id);
  expect(await findImage(made.store, `other@${image.descriptor.digest}`)).toBeUndefined();
});

test('a short ID that several images have is an error, and a name goes before an ID', async () => {
  await using made = await temporaryStore();
  const { store } = made;
  const ids = new Map<string, string>();
  for (let count = 0; ; count++) {
    const { id } = await addImage(store, { layers: [LAYER], config: { Labels: { count: `${count}` } } });
    const digit = digestHex(id).slice(0, 1);
    if (ids.has(digit)) {
      await expect(findImage(store, digit)).rejects.toMatchObject({ code: 'invalid-argument' });
      const named = await addImage(store, { reference: digit, layers: [LAYER], config: { User: 'x' } });
      expect((await findImage(store, digit))?.id).toBe(named.id);
      return;
    }
    ids.set(digit, id);
  }
});

test('of an index, this host’s platform, the one asked for, or what is there', async () => {
  await using made = await temporaryStore();
  const { store } = made;
  const own = await addImage(store, { layers: [LAYER] });
  const arm = await addImage(store, { layers: [LAYER], platform: ARM });
  const absent = { mediaType: OCI_MANIFEST, digest: digestOf('absent'), size: 6 };
  const attestation = await addImage(store, {
    layers: [LAYER],
    platform: { os: 'unknown', architecture: 'unknown' },
  });
  const entries = [
    { descriptor: attestation.descriptor, platform: { os: 'unknown', architecture: 'unknown' } },
    { descriptor: absent, platform: S390 },
    { descriptor: arm.descriptor, platform: ARM },
  ];
  const both = await addIndex(store, [...entries, { descriptor: own.descriptor, platform: hostPlatform() }]);
  await store.refs.put(parseReference('both:1'), both);
  await store.refs.put(parseReference('arm:1'), await addIndex(store, entries));
  expect((await findImage(store, 'both:1'))?.id).toBe(own.id);
  expect((await findImage(store, 'both:1', ARM))?.id).toBe(arm.id);
  expect((await findImage(store, 'arm:1'))?.id).toBe(arm.id);
  expect(await findImage(store, 'both:1', S390)).toBeUndefined();
  expect((await findImage(store, 'both:1'))?.root).toEqual(both);
  await expect(requireImage(store, 'both:1', S390)).rejects.toMatchObject({ code: 'wrong-platform' });
  expect(await findImage(store, arm.id, hostPlatform())).toBeUndefined();
});

test('an entry without a platform makes no other image one of the index, unless it is its only one', async () => {
  await using host = await temporaryHost();
  const { store } = host;
  const own = await addImage(store, { layers: [LAYER] });
  const other = await addImage(store, { reference: 'other:1', layers: [LAYER], config: { User: 'x' } });
  const nested = await addIndex(store, [{ descriptor: other.descriptor, platform: hostPlatform() }]);
  const mine = { descriptor: own.descriptor, platform: hostPlatform() };
  const strangers = [{ descriptor: other.descriptor }, { descriptor: nested }];
  await store.refs.put(parseReference('mine:1'), await addIndex(store, [...strangers, mine]));
  await store.refs.put(parseReference('none:1'), await addIndex(store, strangers));
  await store.refs.put(parseReference('only:1'), await addIndex(store, [{ descriptor: own.descriptor }]));
  const images = await listImages(host.engine, host.call);
  const names = images.map(({ id, tags }) => [id, tags.map(familiarName)]);
  expect(new Map(names as [string, string[]][])).toEqual(
    new Map([
      [own.id, ['mine:1', 'only:1']],
      [other.id, ['other:1']],
    ]),
  );
  expect((await findImage(store, 'mine:1'))?.id).toBe(own.id);
  expect((await findImage(store, 'only:1'))?.id).toBe(own.id);
  expect(await findImage(store, 'none:1')).toBeUndefined();
  await removeImage(host.engine, host.call, 'other:1');
  expect(await findImage(store, other.id)).toBeUndefined();
});

test('a name whose manifest has gone is not found, one that is damaged is an error', async () => {
  await using made = await temporaryStore();
  const { store } = made;
  const gone = await addImage(store, { reference: 'gone', layers: [LAYER] });
  await store.blobs.delete(gone.descriptor.digest);
  expect(await findImage(store, 'gone')).toBeUndefined();
  const fresh = await addImage(store, { reference: 'fresh', layers: [LAYER], config: { User: 'x' } });
  expect((await findImage(store, fresh.id.slice(7, 20)))?.id).toBe(fresh.id);
});

test('manifest and config must have as many layers', async () => {
  await using made = await temporaryStore();
  const { store } = made;
  const { id, descriptor } = await addImage(store, { layers: [LAYER] });
  const manifest = JSON.parse((await store.blobs.read(descriptor.digest)).toString());
  const { digest, sizeBytes } = await store.blobs.put(
    JSON.stringify({ ...manifest, layers: [...manifest.layers, ...manifest.layers] }),
  );
  expect(manifest.config.digest).toBe(id);
  await store.refs.put(parseReference('odd:1'), { mediaType: OCI_MANIFEST, digest, size: sizeBytes });
  await expect(findImage(store, 'odd:1')).rejects.toMatchObject({ code: 'hostile' });
});
