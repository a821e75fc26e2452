import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { replaceFile, replaceFileSync, writeFileAtomic } from '../../src/system/file/atomic-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocits-atomic-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('a file is replaced whole, private, and nothing else is left', async () => {
  const path = join(folder, 'sub', 'file');
  await writeFileAtomic(path, 'one');
  await writeFileAtomic(path, Buffer.from('two'));
  expect(await readFile(path, 'utf8')).toBe('two');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, 'sub'))).toEqual(['file']);
});

test('a write that fails leaves the old file and no temporary one', async () => {
  const path = join(folder, 'taken');
  await writeFileAtomic(join(path, 'inside'), 'x');
  await expect(writeFileAtomic(path, 'y')).rejects.toThrow('EISDIR');
  expect(await readdir(folder)).not.toContainEqual(expect.stringContaining('.tmp-'));
});

test('without fsync it is the same', async () => {
  const path = join(folder, 'quick', 'file');
  await replaceFile(path, 'one');
  replaceFileSync(path, 'two');
  expect(await readFile(path, 'utf8')).toBe('two');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await expect(replaceFile(join(folder, 'quick'), 'x')).rejects.toThrow('EISDIR');
  expect(() => replaceFileSync(join(folder, 'quick'), 'x')).toThrow('EISDIR');
  expect(await readdir(folder)).not.toContainEqual(expect.stringContaining('.tmp-'));
});
