import { expect, test, vi } from 'vitest';
import { once } from '../../src/system/task/once.ts';

test('what is made once is made when it is first asked for, and stays the same', async () => {
  const make = vi.fn(async () => ({}));
  const get = once(make);
  expect(make).not.toHaveBeenCalled();
  const [first, second] = await Promise.all([get(), get()]);
  expect(first).toBe(second);
  expect(make).toHaveBeenCalledTimes(1);
});
