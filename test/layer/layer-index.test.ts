import { mkdtempDisposable, readdir, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openIndexStore } from '../../src/layer/index/index-store.ts';
import { createIndexBuilder, decodeIndex } from '../../src/layer/index/layer-index.ts';
import type { LayerChange } from '../../src/layer/layer-change.ts';
import { digestHex, digestOf } from '../../src/oci/digest.ts';
import { SAMPLE_TREE } from '../support/layer/sample-tree.ts';
import { growth, LINEAR } from '../support/program/growth.ts';

const CHANGES: readonly LayerChange[] = [
  ...SAMPLE_TREE.map(({ entry }) => entry),
  { type: 'whiteout', path: 'gone/\xff' },
  { type: 'opaque', path: 'folder' },
  { type: 'opaque', path: '' },
  {
    type: 'file',
    path: 'holes',
    mode: 0o600,
    uid: 1,
    gid: 2,
    mtime: { seconds: -1, nanoseconds: 999_999_999 },
    sizeBytes: 2 ** 40,
    dataOffset: 2 ** 41,
    storedBytes: 30,
    sparse: [
      { offset: 5, length: 10 },
      { offset: 2 ** 39, length: 20 },
    ],
  },
];

function encode(changes: readonly LayerChange[]): Buffer {
  const builder = createIndexBuilder();
  for (const change of changes) builder.add(change);
  expect(builder.count).toBe(changes.length);
  return builder.finish();
}

test('an index gives back what was added, in order', () => {
  const index = decodeIndex(encode(CHANGES));
  expect(index.count).toBe(CHANGES.length);
  expect(Array.from({ length: index.count }, (_, i) => index.at(i))).toEqual(CHANGES);
  expect(index.typeAt(index.count - 1)).toBe('file');
  expect(decodeIndex(encode([])).count).toBe(0);
});

test('names', () => {
  const file = (path: string): LayerChange => ({
    ...SAMPLE_TREE.find(({ entry }) => entry.path === 'empty')!.entry,
    path,
  });
  const index = decodeIndex(
    encode([
      file('a/b/c'),
      file('x'),
      file('a/b/c'),
      { type: 'whiteout', path: 'a/gone' },
      { type: 'opaque', path: 'o/p' },
    ]),
  );
  expect(index.find('a/b/c')).toBe(2);
  expect(index.find('a/b')).toBe(-1);
  expect(index.find('a/gone')).toBe(-1);
  expect(index.hasWhiteout('a/gone')).toBe(true);
  expect(index.isOpaque('o/p')).toBe(true);
  expect(index.namesIn('')).toEqual(['a', 'x', 'o']);
  expect(index.namesIn('a')).toEqual(['b']);
  expect(index.namesIn('o')).toEqual(['p']);
  expect(index.namesIn('a/b/c')).toEqual([]);
});

test('a damaged index is none', () => {
  const bytes = encode(CHANGES);
  for (const at of [0, 4, 9, 12, 16, 30, bytes.length - 1]) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1;
    expect(() => decodeIndex(damaged)).toThrow(/damaged/);
  }
  for (const length of [0, 10, 24, bytes.length - 1]) {
    expect(() => decodeIndex(bytes.subarray(0, length))).toThrow(/damaged/);
  }
  expect(decodeIndex(Buffer.concat([Buffer.alloc(3), bytes]).subarray(3)).count).toBe(CHANGES.length);
});

test('the store', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'ocits-index-'));
  const store = openIndexStore(folder.path);
  const diffId = digestOf('layer');
  expect(await store.get(diffId)).toBeUndefined();
  expect(await Array.fromAsync(store.list())).toEqual([]);
  await store.put(diffId, encode(CHANGES));
  await store.put(diffId, encode(CHANGES));
  expect((await store.get(diffId))!.count).toBe(CHANGES.length);
  expect(await Array.fromAsync(store.list())).toEqual([diffId]);
  expect(await readdir(join(folder.path, 'indexes/sha256'))).toEqual([digestHex(diffId)]);
  await truncate(join(folder.path, 'indexes/sha256', digestHex(diffId)), 100);
  expect(await store.get(diffId)).toBeUndefined();
  await store.delete(diffId);
  await store.delete(diffId);
  expect(await Array.fromAsync(store.list())).toEqual([]);
});

test('many entries load in a time that grows as they do', async () => {
  const base = SAMPLE_TREE.find(({ entry }) => entry.path === 'empty')!.entry;
  const encoded = (size: number) =>
    encode(
      Array.from({ length: size }, (_, i) => ({ ...base, path: `usr/share/folder-${i % 500}/file-${i}` })),
    );
  const load = (bytes: Buffer) => expect(decodeIndex(bytes).find('usr/share/folder-0/file-500')).toBe(500);
  expect(growth(encoded, 1500, load)).toBeLessThan(LINEAR);
});
