import { chmod, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type CheckOptions, checkStore, type StoreFault } from '../../src/image/garbage/check-store.ts';
import type { Store } from '../../src/store/store.ts';
import { addImage } from '../support/image/busybox-image.ts';
import { temporaryStore } from '../support/image/temporary-store.ts';
import { tarBytes } from '../support/layer/tar-bytes.ts';

const LAYER = tarBytes([{ path: 'a', content: 'a' }]);

async function faults(store: Store, options?: CheckOptions): Promise<StoreFault[]> {
  const found: StoreFault[] = [];
  for await (const fault of checkStore(store, options)) found.push(fault);
  return found;
}

test('finds what is damaged, missing and unreadable, and takes damage away', async () => {
  await using made = await temporaryStore();
  const { store } = made;
  const { diffIds, id } = await addImage(store, { reference: 'app', layers: [LAYER] });
  expect(await faults(store)).toEqual([]);
  const path = store.blobs.path(diffIds[0]!);
  await chmod(path, 0o600);
  await writeFile(path, Buffer.alloc(LAYER.length));
  expect(await faults(store)).toMatchObject([{ kind: 'damaged-blob', digest: diffIds[0] }]);
  let checkedBytes = 0;
  const onBlob = (bytes: number) => {
    checkedBytes = bytes;
  };
  const repaired = await faults(store, { isRepairing: true, onBlob });
  expect(repaired.map(({ kind }) => kind)).toEqual(['damaged-blob', 'missing-layer']);
  expect(checkedBytes).toBeGreaterThan(LAYER.length);
  expect(await store.blobs.stat(diffIds[0]!)).toBeUndefined();
  await chmod(store.blobs.path(id), 0o600);
  await writeFile(store.blobs.path(id), 'x');
  expect((await faults(store)).map(({ kind }) => kind)).toEqual(['damaged-blob', 'unreadable-image']);
});
