import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { FileGrowth } from '../../src/system/file/file-growth.ts';

test('whoever waits learns of more bytes, and of the end', async () => {
  const growth = new FileGrowth();
  growth.grew(10);
  expect(await growth.moreThan(0)).toBe(10);
  const more = growth.moreThan(10);
  growth.grew(25);
  expect(await more).toBe(25);
  const end = growth.moreThan(25);
  const whole = growth.whole();
  growth.end();
  expect(await end).toBe(25);
  await whole;
  expect(growth.isWhole).toBe(true);
  growth.drop();
  expect(() => growth.check()).not.toThrow();
});

test('what is dropped fails for all who wait and come later', async () => {
  const growth = new FileGrowth();
  growth.grew(10);
  const waiting = [growth.moreThan(10), growth.whole()];
  growth.drop();
  growth.end();
  for (const wait of waiting) await expect(wait).rejects.toMatchObject({ code: 'aborted' });
  await expect(growth.moreThan(0)).rejects.toMatchObject({ code: 'aborted' });
  expect(() => growth.check()).toThrow('anew');
  expect(growth.isWhole).toBe(false);
});

test('an abort ends the wait, and leaves no listener', async () => {
  const growth = new FileGrowth();
  const controller = new AbortController();
  const wait = growth.moreThan(0, controller.signal);
  await setImmediate();
  controller.abort(new Error('enough'));
  await expect(wait).rejects.toThrow('enough');
});

test('a thread waits on the memory that it was given', async () => {
  const growth = new FileGrowth();
  const module = new URL('../../src/system/file/file-growth.ts', import.meta.url).href;
  const script = `
    const { parentPort, workerData } = require('node:worker_threads');
    parentPort.on('message', () => {});
    import(${JSON.stringify(module)}).then(async ({ FileGrowth }) => {
      const growth = new FileGrowth(workerData);
      const seen = [];
      for (let at = 0; ; at = seen.at(-1)) {
        const size = await growth.moreThan(at);
        if (size <= at) break;
        seen.push(size);
        parentPort.postMessage(size);
      }
      parentPort.postMessage('end');
    });`;
  const worker = new Worker(script, { eval: true, workerData: growth.memory });
  const told: unknown[] = [];
  await new Promise<void>((resolve, reject) => {
    worker.once('error', reject);
    worker.on('message', (message) => {
      told.push(message);
      if (message === 'end') resolve();
      else if (told.length < 3) growth.grew(told.length * 3_000_000_000 + 1);
      else growth.end();
    });
    growth.grew(1);
  });
  await worker.terminate();
  expect(told).toEqual([1, 3_000_000_001, 6_000_000_001, 'end']);
});
