import { readdirSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestHex } from '../../src/oci/digest.ts';
import { createOverlaySnapshotter } from '../../src/snapshotter/overlay-snapshotter.ts';
import { temporarySnapshotter } from '../support/image/temporary-snapshotter.ts';
import { file, folder, layerTar, whiteout } from '../support/layer/layer-tar.ts';
import { TARS } from '../support/snapshotter/tar-form.ts';

test('a layer that is one file is read in place', async () => {
  await using host = await temporarySnapshotter((paths) => createOverlaySnapshotter(paths, { form: TARS }));
  expect(host.snapshotter.name).toBe('tars');
  const { keys } = await host.stack([
    layerTar(folder('a'), file('a/b', 'content'), file('gone')),
    layerTar(whiteout('gone'), file('c', 'more')),
  ]);
  const stack = { parents: keys };
  expect((await host.snapshotter.readFile(stack, 'a/b', 100))?.toString()).toBe('content');
  expect((await host.snapshotter.readFile(stack, 'c', 100))?.toString()).toBe('more');
  expect(await host.snapshotter.readFile(stack, 'gone', 100)).toBeUndefined();
  const opened = await host.snapshotter.openFile(keys[0]!, 'a/b');
  expect(opened.start).toBeGreaterThan(0);
  const bytes = Buffer.alloc(7);
  readSync(opened.fd, bytes, 0, 7, opened.start);
  opened.close();
  expect(bytes.toString()).toBe('content');
  const layer = join(host.paths.root, 'snapshots/tars', digestHex(keys[0]!));
  expect(readdirSync(layer).sort()).toEqual(['layer.tar', 'record.json']);
});

test('a layer of an earlier boot that its form cannot verify is made again', async () => {
  await using host = await temporarySnapshotter((paths) => createOverlaySnapshotter(paths, { form: TARS }));
  const tars = [layerTar(file('a', 'content'))];
  const { keys, diffIds } = await host.stack(tars);
  const path = join(host.paths.root, 'snapshots/tars', digestHex(keys[0]!), 'record.json');
  const record = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...record, bootId: 'an earlier one' }));
  expect(await host.snapshotter.stat(diffIds)).toBeUndefined();
  expect((await host.stack(tars)).keys).toEqual(keys);
});
