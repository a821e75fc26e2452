import { randomBytes } from 'node:crypto';
import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { isOcitsError } from '../../src/errors.ts';
import { readLayer } from '../../src/layer/tar/read-layer.ts';
import { HOSTILE_TARS, type HostileTar, hostileFileName, isKept } from '../support/hostile/hostile-tars.ts';
import { tarBytes } from '../support/layer/tar-bytes.ts';

const TESTDATA = join(import.meta.dirname, '../../testdata/layer/hostile');

/** What the reader said, and the paths it passed on. */
async function read(hostile: HostileTar): Promise<{ outcome: string; paths: string[]; message: string }> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'ocits-hostile-'));
  const path = join(folder.path, 'layer');
  const bytes = hostile.bytes();
  await writeFile(path, bytes);
  const paths: string[] = [];
  const visitor = { change: (c: { path: string }) => paths.push(c.path), data: () => {}, fileEnd: () => {} };
  const source = { path, compression: hostile.compression ?? 'none', sizeBytes: bytes.length } as const;
  try {
    await readLayer(source, visitor, hostile.limits === undefined ? {} : { limits: hostile.limits });
    return { outcome: 'ok', paths, message: '' };
  } catch (error) {
    if (!isOcitsError(error)) throw error;
    return { outcome: error.code, paths, message: error.message };
  }
}

test('there are enough hostile layers, each with a name of its own', () => {
  expect(HOSTILE_TARS.length).toBeGreaterThan(100);
  expect(new Set(HOSTILE_TARS.map((hostile) => hostile.name)).size).toBe(HOSTILE_TARS.length);
});

test('the files in testdata are what the table makes', async () => {
  const kept = HOSTILE_TARS.filter((hostile) => isKept(hostile.bytes()));
  const names = await readdir(TESTDATA);
  expect(names.filter((name) => name !== 'make.ts').sort()).toEqual(kept.map(hostileFileName).sort());
  for (const hostile of kept.filter(({ compression = 'none' }) => compression === 'none')) {
    expect(hostile.bytes().equals(await readFile(join(TESTDATA, hostileFileName(hostile))))).toBe(true);
  }
});

describe('the reader and hostile layers', () => {
  test.each(HOSTILE_TARS.map((hostile) => [hostile.name, hostile] as const))('%s', async (_name, hostile) => {
    const { outcome, paths, message } = await read(hostile);
    expect(outcome).toBe(hostile.reader);
    expect(message.length).toBeLessThan(500);
    expect(paths.every((path) => !path.startsWith('/') && !path.split('/').includes('..'))).toBe(true);
    if (hostile.paths !== undefined) expect(paths).toEqual(hostile.paths);
  });
});

describe('a layer of very many names', () => {
  const names = Array.from({ length: 3000 }, (_, number) => `f${String(number).padStart(7, '0')}`);
  const empty = tarBytes(names.map((path) => ({ path, content: '' })));
  const filled = tarBytes(names.map((path) => ({ path, content: randomBytes(24) })));
  const readWith = async (bytes: Uint8Array, compression: 'none' | 'gzip', entriesFloor: number) =>
    await read({
      name: '',
      bytes: () => bytes,
      compression,
      limits: { entriesFloor },
      reader: 'ok',
    } as HostileTar);

  test('is refused where a few bytes name them all, with what to do', async () => {
    const { outcome, paths, message } = await readWith(gzipSync(empty), 'gzip', 1000);
    expect([outcome, message]).toEqual(['hostile', expect.stringContaining('more than 1000 entries')]);
    expect(paths.length).toBeLessThan(names.length + 1);
  });

  test.each([
    ['below the floor', gzipSync(empty), 'gzip', 3000],
    ['with content', gzipSync(filled), 'gzip', 1000],
    ['not compressed', empty, 'none', 1000],
  ] as const)('is read %s', async (_what, bytes, compression, floor) => {
    expect(await readWith(bytes, compression, floor)).toMatchObject({ outcome: 'ok', paths: names });
  });
});
