import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { expect, test, vi } from 'vitest';
import { finishDigest } from '../../src/oci/digest.ts';
import { syncFolder } from '../../src/system/file/atomic-file.ts';
import { temporaryStore } from '../support/image/temporary-store.ts';

vi.mock(import('../../src/system/file/atomic-file.ts'), async (load) => {
  const real = await load();
  return { ...real, syncFolder: vi.fn(real.syncFolder) };
});

test('the names of all blobs are made durable, whatever their algorithm', async () => {
  await using made = await temporaryStore();
  const { blobs } = made.store;
  const digest = finishDigest('sha512', createHash('sha512').update('x'));
  const writer = await blobs.ingest({ digest, sizeBytes: 1 });
  if ('exists' in writer) throw new Error('the blob is there already');
  await writer.write(Buffer.from('x'));
  await writer.commit();
  vi.mocked(syncFolder).mockClear();
  await blobs.sync();
  const synced = vi.mocked(syncFolder).mock.calls.map(([folder]) => basename(folder));
  expect(synced.sort()).toEqual(['sha256', 'sha512']);
});
