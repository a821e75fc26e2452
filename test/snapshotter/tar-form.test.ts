import { readdirSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestHex } from '../../src/oci/digest.ts';
import { createOverlaySnapshotter } from '../../src/snapshotter/overlay-snapshotter.ts';
import { temporarySnapshotter } from '../support/image/temporary-snapshotter.ts';
import { file, folder, layerTar, whiteout } from '../support/layer/layer-tar.ts';
import { TARS } from '../support/snapshotter/tar-form.ts';

test('a layer that is one file is read in place', async () => {
  await using temporary = await temporarySnapshotter((paths) =>
    createOverlaySnapshotter(paths, { form: TARS }),
  );
  expect(temporary.snapshotter.name).toBe('tars');
  const { keys } = await temporary.stack([
    layerTar(folder('a'), file('a/b', 'content'), file('gone')),
    layerTar(whiteout('gone'), file('c', 'more')),
  ]);
  const stack = { parents: keys };
  expect((await temporary.snapshotter.readFile(stack, 'a/b', 100))?.toString()).toBe('content');
  expect((await temporary.snapshotter.readFile(stack, 'c', 100))?.toString()).toBe('more');
  expect(await temporary.snapshotter.readFile(stack, 'gone', 100)).toBeUndefined();
  const opened = await temporary.snapshotter.openFile(keys[0]!, 'a/b');
  expect(opened.start).toBeGreaterThan(0);
  const bytes = Buffer.alloc(7);
  readSync(opened.fd, bytes, 0, 7, opened.start);
  opened.close();
  expect(bytes.toString()).toBe('content');
  const layer = join(temporary.paths.root, 'snapshots/tars', digestHex(keys[0]!));
  expect(readdirSync(layer).sort()).toEqual(['layer.tar', 'record.json']);
});

test('a layer of an earlier boot that its form cannot verify is made again', async () => {
  await using temporary = await temporarySnapshotter((paths) =>
    createOverlaySnapshotter(paths, { form: TARS }),
  );
  const tars = [layerTar(file('a', 'content'))];
  const { keys, diffIds } = await temporary.stack(tars);
  const path = join(temporary.paths.root, 'snapshots/tars', digestHex(keys[0]!), 'record.json');
  const record = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...record, bootId: 'an earlier one' }));
  expect(await temporary.snapshotter.stat(diffIds)).toBeUndefined();
  expect((await temporary.stack(tars)).keys).toEqual(keys);
});
