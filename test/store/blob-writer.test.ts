import { existsSync, statSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { FileBlobWriter } from '../../src/store/blob-writer.ts';
import { temporaryStore } from '../support/image/temporary-store.ts';

test('a download of before that cannot be read goes, with its file and its lock', async () => {
  await using made = await temporaryStore();
  const path = join(made.folder, 'partial');
  await writeFile(path, 'what came before');
  // Open for writing alone, it can no more be read than on a broken disk.
  const file = await open(path, 'a');
  const release = vi.fn(async () => {});
  const lock = { release, [Symbol.asyncDispose]: release };
  const writer = new FileBlobWriter({ file, path, expected: {}, lock, publish: async () => {} });
  await expect(writer.resume()).rejects.toThrow();
  expect(file.fd).toBe(-1);
  expect(release).toHaveBeenCalled();
  expect(existsSync(path)).toBe(false);
});

test('a download that ends while it is synced can be continued by its owner', async () => {
  await using made = await temporaryStore();
  const path = join(made.folder, 'partial');
  const file = await open(path, 'w+', 0o600);
  vi.spyOn(file, 'datasync').mockRejectedValue(new Error('killed'));
  const writer = new FileBlobWriter({ file, path, expected: {}, publish: async () => {} });
  await writer.write(Buffer.from('content'));
  await expect(writer.commit()).rejects.toThrow('killed');
  expect(statSync(path).mode & 0o777).toBe(0o600);
});
