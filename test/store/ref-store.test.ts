import { readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { formatReference, parseReference, type Reference } from '../../src/oci/reference.ts';
import { temporaryStore } from '../support/image/temporary-store.ts';

function descriptor(name: string): Descriptor {
  return { mediaType: OCI_MANIFEST, digest: digestOf(name), size: name.length };
}

test('names of all kinds are found again, and none hides another', async () => {
  await using made = await temporaryStore();
  const { refs } = made.store;
  const digest = digestOf('x');
  const names = [
    'node:20',
    'node:latest',
    'docker.io/library/node/deep:20',
    'a/b:c',
    'a/b/c:c',
    'localhost:5000/a:_tags',
    '[::1]:5000/a/tags:x.json',
    'example.com/a:_digests',
    `example.com/a@${digest}`,
  ];
  for (const name of names) expect(await refs.put(parseReference(name), descriptor(name))).toBeUndefined();
  for (const name of names) expect(await refs.resolve(parseReference(name))).toEqual(descriptor(name));
  const listed = (await refs.list()).map((ref) => formatReference(ref.reference)).sort();
  expect(listed).toEqual(names.map((name) => formatReference(parseReference(name))).sort());
  for (const name of names) expect(await refs.delete(parseReference(name))).toBe(true);
  expect(await refs.list()).toEqual([]);
  expect(readdirSync(join(made.store.paths.root, 'refs'))).toEqual([]);
});

test('a name with tag and digest is the name by digest', async () => {
  await using made = await temporaryStore();
  const { refs } = made.store;
  const both = parseReference(`node:20@${digestOf('x')}`);
  await refs.put(both, descriptor('x'));
  expect(await refs.resolve(parseReference(`node@${digestOf('x')}`))).toEqual(descriptor('x'));
  expect(await refs.resolve(parseReference('node:20'))).toBeUndefined();
});

test('a tag that moves leaves a nameless image, until that gets a name', async () => {
  await using made = await temporaryStore();
  const { refs } = made.store;
  const name = parseReference('hello:latest');
  await refs.put(name, descriptor('one'));
  expect(await refs.put(name, descriptor('one'))).toBeUndefined();
  expect(await refs.anonymous()).toEqual([]);
  expect(await refs.put(name, descriptor('two'))).toEqual(descriptor('one'));
  expect((await refs.anonymous()).map((ref) => ref.descriptor)).toEqual([descriptor('one')]);
  await refs.put(parseReference('old:latest'), descriptor('one'));
  expect(await refs.anonymous()).toEqual([]);
  await refs.putAnonymous(descriptor('three'));
  expect(await refs.deleteAnonymous(descriptor('three'))).toBe(true);
  expect(await refs.deleteAnonymous(descriptor('three'))).toBe(false);
});

test('several names are set at once', async () => {
  await using made = await temporaryStore();
  const { refs } = made.store;
  const names = ['a:1', `a@${descriptor('one').digest}`, 'b:1'].map((name) => parseReference(name));
  await refs.put(names[2]!, descriptor('two'));
  expect(await refs.putAll(names, descriptor('one'))).toEqual([undefined, undefined, descriptor('two')]);
  for (const name of names) expect(await refs.resolve(name)).toEqual(descriptor('one'));
  expect((await refs.anonymous()).map((ref) => ref.descriptor)).toEqual([descriptor('two')]);
  expect(await refs.putAll(names, descriptor('one'))).toEqual([undefined, undefined, undefined]);
});

test('of many that set one name at once none loses its image', async () => {
  await using made = await temporaryStore();
  const { refs } = made.store;
  const name = parseReference('hello:latest');
  const all = ['a', 'b', 'c', 'd', 'e', 'f'].map(descriptor);
  await Promise.all(all.map(async (one) => await refs.put(name, one)));
  const kept = [await refs.resolve(name), ...(await refs.anonymous()).map((ref) => ref.descriptor)];
  expect(kept.map((one) => one?.digest).sort()).toEqual(all.map((one) => one.digest).sort());
});

test('a reference that its own parser refuses becomes no path', async () => {
  await using made = await temporaryStore();
  const { refs } = made.store;
  const bad: Reference[] = [
    { domain: '..', path: 'a', tag: 'x' },
    { domain: 'example.com', path: '../../etc', tag: 'x' },
    { domain: 'example.com', path: 'a', tag: '../x' },
    { domain: 'example.com', path: '_tags', tag: 'x' },
    { domain: 'example.com', path: 'a' },
  ];
  for (const reference of bad) {
    await expect(refs.put(reference, descriptor('x'))).rejects.toMatchObject({ code: 'invalid-reference' });
    await expect(refs.resolve(reference)).rejects.toMatchObject({ code: 'invalid-reference' });
  }
});

test('a damaged ref is an error, a stray file is none', async () => {
  await using made = await temporaryStore();
  const { refs, paths } = made.store;
  const path = join(paths.root, 'refs/docker.io/library/node/_tags/latest');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(join(dirname(path), '.tmp-1-abc'), 'half');
  expect(await refs.list()).toEqual([]);
  for (const content of [
    '',
    '{}',
    '{"version":1,"updatedAt":"2024-01-01T00:00:00Z","descriptor":{"digest":"x"}}',
  ]) {
    await writeFile(path, content);
    await expect(refs.resolve(parseReference('node:latest'))).rejects.toMatchObject({ code: 'corrupt' });
    await expect(refs.list()).rejects.toMatchObject({ code: 'corrupt' });
  }
});
