import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lockFile, withLock } from '../../src/system/task/lock.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocits-lock-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('an exclusive lock keeps others out until it is released', async () => {
  const path = join(folder, 'a');
  const first = await lockFile(path, { mode: 'exclusive' });
  expect(await lockFile(path, { mode: 'exclusive', waitMs: 0 })).toBeUndefined();
  expect(await lockFile(path, { mode: 'shared', waitMs: 20 })).toBeUndefined();
  await first!.release();
  await first!.release();
  await using second = await lockFile(path, { mode: 'exclusive', waitMs: 0 });
  expect(second).toBeDefined();
});

test('shared locks go together', async () => {
  const path = join(folder, 'b');
  await using _one = await lockFile(path, { mode: 'shared' });
  await using two = await lockFile(path, { mode: 'shared', waitMs: 0 });
  expect(two).toBeDefined();
  expect(await lockFile(path, { mode: 'exclusive', waitMs: 0 })).toBeUndefined();
});

test('one waits for the other, and a failing work releases', async () => {
  const path = join(folder, 'c');
  const order: string[] = [];
  const [taken, other] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const first = withLock(path, { mode: 'exclusive' }, async () => {
    order.push('first');
    taken.resolve();
    await other.promise;
    throw new Error('failed');
  });
  await taken.promise;
  const second = withLock(path, { mode: 'exclusive' }, async () => order.push('second'));
  expect(await lockFile(path, { mode: 'exclusive', waitMs: 20 })).toBeUndefined();
  other.resolve();
  await expect(first).rejects.toThrow('failed');
  await second;
  expect(order).toEqual(['first', 'second']);
});

test('waiting can be aborted', async () => {
  const path = join(folder, 'd');
  await using _held = await lockFile(path, { mode: 'exclusive' });
  const controller = new AbortController();
  const waiting = lockFile(path, { mode: 'exclusive', signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
});
