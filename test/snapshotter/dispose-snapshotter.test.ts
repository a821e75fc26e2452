import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { createOverlaySnapshotter } from '../../src/snapshotter/overlay-snapshotter.ts';
import { textIfThereSync } from '../../src/system/file/if-there.ts';
import { temporarySnapshotter } from '../support/image/temporary-snapshotter.ts';
import { file, layerTar } from '../support/layer/layer-tar.ts';

/** This process's worker threads, as the kernel counts them. */
function workerThreads(): number {
  return readdirSync('/proc/self/task').filter(
    (id) => textIfThereSync(`/proc/self/task/${id}/comm`)?.trim() === 'WorkerThread',
  ).length;
}

const overlay = () => temporarySnapshotter((paths) => createOverlaySnapshotter(paths));

test('disposing ends idle threads at once', async () => {
  const before = workerThreads();
  await using temporary = await overlay();
  await temporary.stack([layerTar(file('a')), layerTar(file('b'))]);
  expect(workerThreads()).toBeGreaterThan(before);
  await temporary.snapshotter[Symbol.asyncDispose]();
  expect(workerThreads()).toBe(before);
  await temporary.snapshotter[Symbol.asyncDispose]();
});

test('disposing of what was never used loads nothing and ends', async () => {
  const before = workerThreads();
  await using temporary = await overlay();
  await temporary.snapshotter[Symbol.asyncDispose]();
  expect(workerThreads()).toBe(before);
});

test('what is under way is aborted, what waits is refused, and nothing is left', async () => {
  const before = workerThreads();
  await using temporary = await overlay();
  const tars = Array.from({ length: 12 }, (_, layer) =>
    layerTar(...Array.from({ length: 20 }, (_, i) => file(`f${i}`, Buffer.alloc(400_000, layer * 20 + i)))),
  );
  const { promise: isUnderWay, resolve: onBytes } = Promise.withResolvers<void>();
  const applied = tars.map((tar) =>
    temporary.snapshotter.apply({
      parents: [],
      diffIds: [digestOf(tar)],
      source: temporary.source(tar),
      onBytes: () => onBytes(),
    }),
  );
  const settled = Promise.allSettled(applied);
  await isUnderWay;
  await temporary.snapshotter[Symbol.asyncDispose]();
  expect(workerThreads()).toBe(before);
  const failed = (await settled).flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []));
  expect(failed.length).toBeGreaterThan(tars.length / 2);
  expect(new Set(failed)).toEqual(new Set(['aborted']));
  expect(readdirSync(join(temporary.paths.root, 'snapshots/overlay/staging'))).toEqual([]);
  expect(workerThreads()).toBe(before);
});

test('a snapshotter that was disposed of still reads, and unpacks nothing more', async () => {
  await using temporary = await overlay();
  const { keys } = await temporary.stack([layerTar(file('a', 'content'))]);
  await temporary.snapshotter[Symbol.asyncDispose]();
  expect((await temporary.snapshotter.readFile({ parents: keys }, 'a', 100))?.toString()).toBe('content');
  await expect(temporary.stack([layerTar(file('b'))])).rejects.toMatchObject({ code: 'aborted' });
});
