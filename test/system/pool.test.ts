import { expect, test } from 'vitest';
import { mapPool } from '../../src/system/task/pool.ts';

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
