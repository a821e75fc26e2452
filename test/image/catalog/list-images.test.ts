import { chmod, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import {
  matchesReference,
  parseImageFilters,
  parsePruneFilters,
} from '../../../src/image/catalog/filter-images.ts';
import { imageHistory } from '../../../src/image/catalog/image-history.ts';
import { inspectImage } from '../../../src/image/catalog/inspect-image.ts';
import { listImages } from '../../../src/image/catalog/list-images.ts';
import { tagImage } from '../../../src/image/catalog/tag-image.ts';
import { imagesUsage } from '../../../src/image/garbage/disk-usage.ts';
import { parsePlatform } from '../../../src/oci/platform.ts';
import { familiarName, parseReference } from '../../../src/oci/reference.ts';
import { addImage } from '../../support/image/busybox-image.ts';
import { temporaryHost } from '../../support/image/image-host.ts';
import { withUsers } from '../../support/image/test-host.ts';
import { tarBytes } from '../../support/layer/tar-bytes.ts';

const LAYER = tarBytes([{ path: 'hello', content: 'hello' }]);
const OTHER = tarBytes([{ path: 'hello', content: 'x'.repeat(5000) }]);
/** What the files of each hold. */
const [LAYER_BYTES, OTHER_BYTES] = [5, 5000];

test('one image with many names is listed once, newest first', async () => {
  await using host = await temporaryHost();
  const { store } = host;
  const old = await addImage(store, { reference: 'b:2', layers: [LAYER], created: '2020-01-01T00:00:00Z' });
  await store.refs.put(parseReference('a:1'), old.descriptor);
  await store.refs.put(parseReference(`b@${old.descriptor.digest}`), old.descriptor);
  const young = await addImage(store, { layers: [LAYER, OTHER], created: '2024-01-01T00:00:00Z' });
  const images = await listImages(host.engine, host.call);
  expect(images.map(({ id }) => id)).toEqual([young.id, old.id]);
  expect(images[1]!.tags.map(familiarName)).toEqual(['a:1', 'b:2']);
  expect(images[1]!.digests.map(familiarName)).toEqual([`b@${old.descriptor.digest}`]);
  expect(images[0]).toMatchObject({ tags: [], sizeBytes: LAYER_BYTES + OTHER_BYTES });
});

test('a damaged image is told, and does not hide the others', async () => {
  await using host = await temporaryHost();
  const { store } = host;
  const bad = await addImage(store, { reference: 'bad', layers: [LAYER], config: { User: 'x' } });
  const good = await addImage(store, { reference: 'good', layers: [LAYER] });
  const path = store.blobs.path(bad.id);
  await chmod(path, 0o600);
  await writeFile(path, 'damaged');
  expect((await listImages(host.engine, host.call)).map(({ id }) => id)).toEqual([good.id]);
  expect(host.events).toMatchObject([{ type: 'message', level: 'warning' }]);
});

test('filters', async () => {
  await using host = await temporaryHost();
  const { store } = host;
  const label = { Labels: { stage: 'test', empty: '' } };
  await addImage(store, {
    reference: 'me/app:1',
    layers: [LAYER],
    config: label,
    created: '2020-01-01T00:00:00Z',
  });
  await tagImage(store, 'me/app:1', 'app:old');
  await addImage(store, { reference: 'app:2', layers: [LAYER], created: '2021-01-01T00:00:00Z' });
  await addImage(store, { layers: [LAYER], created: '2022-01-01T00:00:00Z' });
  const names = async (...filters: string[]) =>
    (await listImages(host.engine, host.call, parseImageFilters(filters))).map(({ tags }) =>
      tags.map(familiarName).join(),
    );
  expect(await names('dangling=true')).toEqual(['']);
  expect(await names('dangling=false')).toEqual(['app:2', 'app:old,me/app:1']);
  expect(await names('label=stage')).toEqual(['app:old,me/app:1']);
  expect(await names('label=stage=test', 'label=empty=')).toEqual(['app:old,me/app:1']);
  expect(await names('label=stage=prod')).toEqual([]);
  expect(await names('label!=stage')).toEqual(['', 'app:2']);
  expect(await names('reference=app')).toEqual(['app:2', 'app:old']);
  expect(await names('reference=app:*')).toEqual(['app:2', 'app:old']);
  expect(await names('reference=*/app')).toEqual(['me/app:1']);
  expect(await names('before=app:2')).toEqual(['app:old,me/app:1']);
  expect(await names('since=app:old')).toEqual(['', 'app:2']);
  expect(await names('until=2020-06-01')).toEqual(['app:old,me/app:1']);
  await expect(names('before=nothing')).rejects.toMatchObject({ code: 'not-found' });
  // Values of one name are alternatives for patterns alone.
  expect(await names('reference=me/*', 'reference=app:2')).toEqual(['app:2', 'me/app:1']);
  expect(await names('before=app:2', 'until=2019-01-01')).toEqual([]);
  expect(await names('until=2020-06-01', 'until=2022-06-01')).toEqual(['app:old,me/app:1']);
  expect(await names('label=stage', 'label=nosuch')).toEqual([]);
  expect(await names('label=')).toEqual([]);
  expect(await names('reference=')).toEqual([]);
  expect(await names('')).toHaveLength(3);
  expect(await names('dangling=true', 'dangling=1')).toEqual(['']);
  await expect(names('since=')).rejects.toMatchObject({ code: expect.stringMatching(/not-found|invalid/) });
  const wrong = ['x=y', 'dangling', 'dangling=maybe', 'dangling=', 'until=soon', 'reference=[', 'id=a'];
  for (const texts of [...wrong.map((text) => [text]), ['dangling=true', 'dangling=false']]) {
    expect(() => parseImageFilters(texts)).toThrowError(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  }
});

test('a name by digest alone is no tag, and yet a name', async () => {
  await using host = await temporaryHost();
  const { store } = host;
  const { descriptor, id } = await addImage(store, { layers: [LAYER] });
  await store.refs.put(parseReference(`app@${descriptor.digest}`), descriptor);
  for (const filter of ['dangling=true', 'dangling=false']) {
    const found = await listImages(host.engine, host.call, parseImageFilters([filter]));
    expect(found.map((image) => image.id)).toEqual([id]);
  }
});

test('filters of image prune', () => {
  expect(parsePruneFilters(['dangling=false'], false).isAll).toBe(true);
  expect(parsePruneFilters(['dangling=true'], false).isAll).toBe(false);
  expect(parsePruneFilters(['label=a', 'label!=b', 'until=1h'], true).filters.labels).toHaveLength(2);
  for (const texts of [['reference=a'], ['before=a'], ['until=1h', 'until=2h'], ['dangling=x']]) {
    expect(() => parsePruneFilters(texts, false)).toThrowError(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  }
});

test('patterns of names are those of Go’s path.Match', () => {
  const matches = (name: string, pattern: string) => matchesReference(parseReference(name), [pattern]);
  expect(matches('node:20', 'n?de')).toBe(true);
  expect(matches('node:20', 'no*:2[0-3]')).toBe(true);
  expect(matches('node:20', 'no*:2[^0-3]')).toBe(false);
  expect(matches('a/b:1', '*')).toBe(false);
  expect(matches('a/b:1', 'a/*')).toBe(true);
  expect(matches('node:20', 'node:2.')).toBe(false);
  expect(matches('node:20', 'node:\\20')).toBe(true);
  for (const pattern of ['n[o', 'n[z-a]']) {
    const refused = expect.objectContaining({ code: 'invalid-argument' });
    expect(() => matches('node', pattern)).toThrowError(refused);
  }
});

test('until may be a duration or a Unix time', () => {
  const now = new Date('2024-01-02T00:00:00Z');
  const until = (text: string) => parseImageFilters([`until=${text}`], now).until?.toISOString();
  expect(until('24h')).toBe('2024-01-01T00:00:00.000Z');
  expect(until('1h30m')).toBe('2024-01-01T22:30:00.000Z');
  expect(until('1704067200')).toBe('2024-01-01T00:00:00.000Z');
});

test('tags: a digest is refused, a name that is not there as well', async () => {
  await using host = await temporaryHost();
  const { id, descriptor } = await addImage(host.store, { reference: 'app', layers: [LAYER] });
  expect(familiarName(await tagImage(host.store, id.slice(7, 19), 'localhost:5000/x'))).toBe(
    'localhost:5000/x:latest',
  );
  await expect(tagImage(host.store, 'app', `x@${descriptor.digest}`)).rejects.toMatchObject({
    code: 'invalid-reference',
  });
  await expect(tagImage(host.store, 'nothing', 'x')).rejects.toMatchObject({ code: 'not-found' });
});

test('history: newest first, sizes at the steps that made a layer', async () => {
  await using host = await temporaryHost();
  const { id } = await addImage(host.store, { reference: 'app', layers: [LAYER, OTHER] });
  const items = await imageHistory(host.engine, host.call, 'app');
  const other = parsePlatform('linux/s390x');
  await expect(imageHistory(host.engine, host.call, 'app', other)).rejects.toMatchObject({
    code: 'wrong-platform',
  });
  expect(items.map(({ sizeBytes }) => sizeBytes)).toEqual([OTHER_BYTES, LAYER_BYTES]);
  expect(items[0]).toMatchObject({ id, tags: ['app:latest'], createdBy: 'test' });
  expect(items[1]).toMatchObject({ id: undefined, tags: [] });
});

test('inspect has Docker’s shape', async () => {
  await using host = await temporaryHost();
  const { id, diffIds, descriptor } = await addImage(host.store, {
    reference: 'app',
    layers: [LAYER],
    config: { Env: ['A=b'], Cmd: ['sh'], ExposedPorts: { '80/tcp': {} }, Labels: { a: 'b' } },
  });
  const inspected = JSON.parse(JSON.stringify(await inspectImage(host.engine, host.call, 'app')));
  expect(inspected).toMatchObject({
    Id: id,
    RepoTags: ['app:latest'],
    RepoDigests: [],
    Created: '2024-01-02T03:04:05Z',
    Config: {
      User: '',
      Env: ['A=b'],
      Cmd: ['sh'],
      Entrypoint: null,
      ExposedPorts: { '80/tcp': {} },
      Labels: { a: 'b' },
      WorkingDir: '',
    },
    Os: 'linux',
    Size: LAYER_BYTES,
    RootFS: { Type: 'layers', Layers: diffIds },
    Descriptor: descriptor,
  });
  expect(inspected).not.toHaveProperty('Variant');
});

test('disk usage counts a layer once', async () => {
  await using host = await temporaryHost();
  const one = await addImage(host.store, { reference: 'one', layers: [LAYER, LAYER] });
  await addImage(host.store, { reference: 'two', layers: [LAYER, OTHER] });
  const user = { containerId: 'c', imageId: one.id, isRunning: false };
  const usage = await imagesUsage(withUsers(host, user), host.call);
  expect(usage).toMatchObject({
    activeCount: 1,
    sizeBytes: LAYER_BYTES + OTHER_BYTES,
    reclaimableBytes: OTHER_BYTES,
  });
});
