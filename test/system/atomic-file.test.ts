import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeFileAtomic } from '../../src/system/atomic-file.ts';
import { mapPool } from '../../src/system/pool.ts';

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
  await expect(writeFileAtomic(path, 'y')).rejects.toThrow();
  expect(await readdir(folder)).not.toContainEqual(expect.stringContaining('.tmp-'));
});

test('a pool keeps the order of results and the limit', async () => {
  let running = 0;
  let most = 0;
  const results = await mapPool([3, 1, 2], { limit: 2 }, async (item) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, item * 5));
    running--;
    return item * 10;
  });
  expect(results).toEqual([30, 10, 20]);
  expect(most).toBe(2);
});

test('the first failure aborts the others, and all are awaited', async () => {
  const ended: number[] = [];
  const run = mapPool([1, 2, 3], { limit: 2 }, async (item, signal) => {
    if (item === 1) throw new Error('first');
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    ended.push(item);
  });
  await expect(run).rejects.toThrow('first');
  expect(ended).toEqual([2]);
});
