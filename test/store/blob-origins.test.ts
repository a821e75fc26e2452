import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { temporaryStore } from '../support/image/temporary-store.ts';

const blob = digestOf('blob');
const at = (path: string, domain = 'registry.example') => ({ domain, path });

test('the last repository comes first, each once, and not too many are kept', async () => {
  await using made = await temporaryStore();
  expect(await made.store.origins.get(blob)).toEqual([]);
  await made.store.origins.add([blob], at('a/one'));
  await made.store.origins.add([blob], at('a/two', 'localhost:5000'));
  await made.store.origins.add([blob], at('a/one'));
  expect(await made.store.origins.get(blob)).toEqual([at('a/one'), at('a/two', 'localhost:5000')]);
  for (let index = 0; index < 20; index++) await made.store.origins.add([blob], at(`many/${index}`));
  const origins = await made.store.origins.get(blob);
  expect(origins).toHaveLength(8);
  expect(origins[0]).toEqual(at('many/19'));
});

test('a damaged record counts as none, and one for a blob that nobody needs goes', async () => {
  await using made = await temporaryStore();
  const other = digestOf('other');
  await made.store.origins.add([blob], at('a/b'));
  await made.store.origins.add([other], at('a/b'));
  const folder = join(made.store.paths.root, 'origins');
  for (const content of ['', '{', '{}', '[5, "../../etc"]', '["Bad Name"]']) {
    await writeFile(join(folder, blob.replace(':', '-')), content);
    expect(await made.store.origins.get(blob), content).toEqual([]);
  }
  await made.store.origins.prune(new Set([other]));
  expect(await readdir(folder)).toEqual([other.replace(':', '-')]);
});

test('a store without any', async () => {
  await using made = await temporaryStore();
  await made.store.origins.prune(new Set());
  expect(await made.store.origins.get(blob)).toEqual([]);
});
