import { expect, test, vi } from 'vitest';
import { once, retriedOnce } from '../../src/system/task/once.ts';

test('what is made once is made when it is first asked for, and stays the same', async () => {
  const make = vi.fn(async () => ({}));
  const get = once(make);
  expect(make).not.toHaveBeenCalled();
  const [first, second] = await Promise.all([get(), get()]);
  expect(first).toBe(second);
  expect(make).toHaveBeenCalledTimes(1);
});

test('a failure is not kept by what is retried', async () => {
  let tries = 0;
  const ask = retriedOnce(async () => {
    tries++;
    if (tries === 1) throw new Error('not yet');
    return tries;
  });
  expect(await ask.made()).toBeUndefined();
  await expect(ask()).rejects.toThrow('not yet');
  expect(await ask.made()).toBeUndefined();
  expect(await Promise.all([ask(), ask()])).toEqual([2, 2]);
  expect(await ask.made()).toBe(2);
});
