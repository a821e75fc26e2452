import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { importImage } from '../../src/image/archive/import-image.ts';
import { loadImages } from '../../src/image/archive/load-images.ts';
import { saveImages } from '../../src/image/archive/save-images.ts';
import { hostPlatform } from '../../src/oci/platform.ts';
import { openStore } from '../../src/store/open-store.ts';
import { addImage } from '../support/image/busybox-image.ts';
import { temporaryHost } from '../support/image/image-host.ts';
import { testHost } from '../support/image/test-host.ts';
import { tarBytes } from '../support/layer/tar-bytes.ts';

const LAYER = tarBytes([{ path: 'big', content: Buffer.alloc(3_000_000, 'x') }]);
const DISK_FULL = { code: 'disk-full' };

const isRoot = process.getuid?.() === 0;

let small: string;

beforeAll(() => {
  if (!isRoot) return;
  small = mkdtempSync(join(tmpdir(), 'ocits-small-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]);
});
afterAll(() => {
  if (!isRoot) return;
  execFileSync('umount', [small]);
  rmSync(small, { recursive: true });
});

test.runIf(isRoot)('a full disk is told, and leaves no half image', async () => {
  await using host = await temporaryHost();
  await addImage(host.store, { reference: 'app', layers: [LAYER] });
  const archive = join(host.folder, 'saved.tar');
  await saveImages(host.engine, host.call, ['app'], { format: 'docker-archive', output: archive });
  const output = join(small, 'saved.tar');
  await expect(
    saveImages(host.engine, host.call, ['app'], { format: 'docker-archive', output }),
  ).rejects.toMatchObject(DISK_FULL);
  expect(readdirSync(small)).toEqual([]);
  const store = await openStore({ root: join(small, 'root'), run: join(host.folder, 'run') });
  const there = testHost(store, host.snapshotter);
  await expect(loadImages(there.engine, there.call, { path: archive })).rejects.toMatchObject(DISK_FULL);
  await expect(
    loadImages(there.engine, there.call, { stream: Readable.from([LAYER]) }),
  ).rejects.toMatchObject(DISK_FULL);
  await writeFile(archive, LAYER);
  for (const input of [{ path: archive }, { stream: Readable.from([LAYER]) }]) {
    const options = { platform: hostPlatform(), message: '', created: new Date(0), input };
    await expect(importImage(there.engine, there.call, options)).rejects.toMatchObject(DISK_FULL);
  }
  expect([...(await store.refs.list()), ...(await store.refs.anonymous())]).toEqual([]);
  await expect(store.blobs.put(Buffer.alloc(2_000_000))).rejects.toMatchObject(DISK_FULL);
});
