import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { importImage } from '../../src/image/archive/import-image.ts';
import { findImage } from '../../src/image/catalog/find-image.ts';
import { unpackImage } from '../../src/image/transfer/unpack.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { parsePlatform } from '../../src/oci/platform.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { temporaryHost } from '../support/image/image-host.ts';
import { unpackingHost } from '../support/image/unpacking-host.ts';
import { tarBytes } from '../support/layer/tar-bytes.ts';

const TAR = tarBytes([
  { path: './etc/', type: 'directory', mode: 0o755 },
  { path: './etc/hello', content: 'hello' },
  { path: './big', content: Buffer.alloc(2_000_000, 'x') },
]);
const OPTIONS = {
  platform: parsePlatform('linux/arm64'),
  message: 'imported',
  created: new Date('2024-01-02T03:04:05Z'),
};

test('the same tar gives the same image, compressed or not, from a file or a pipe', async () => {
  await using host = await unpackingHost();
  const reference = parseReference('imported:1');
  const path = join(host.folder, 'rootfs');
  const ids = new Set<string>();
  const byProgram = ['bzip2', 'xz'].map((program) => execFileSync(program, { input: TAR }));
  for (const content of [TAR, gzipSync(TAR), zstdCompressSync(TAR), ...byProgram]) {
    await writeFile(path, content);
    ids.add((await importImage(host.engine, host.call, { ...OPTIONS, input: { path }, reference })).id);
    const stream = Readable.from([content.subarray(0, 3), content.subarray(3)]);
    ids.add((await importImage(host.engine, host.call, { ...OPTIONS, input: { stream }, reference })).id);
  }
  expect(ids.size).toBe(1);
  const image = (await findImage(host.store, 'imported:1'))!;
  expect(image.config).toEqual({
    created: '2024-01-02T03:04:05.000Z',
    os: 'linux',
    architecture: 'arm64',
    config: {},
    rootfs: { type: 'layers', diff_ids: [digestOf(TAR)] },
    history: [{ created: '2024-01-02T03:04:05.000Z', comment: 'imported' }],
  });
  await unpackImage(host.engine, host.call, image);
  expect(readdirSync(join(host.store.paths.root, 'partial'))).toEqual([]);
});

test('without a name the image is kept by its ID', async () => {
  await using host = await temporaryHost();
  const { id } = await importImage(host.engine, host.call, {
    ...OPTIONS,
    input: { stream: Readable.from([TAR]) },
  });
  expect((await findImage(host.store, id))?.id).toBe(id);
});

test.each([
  ['no tar', Buffer.from('x'.repeat(2000)), 'corrupt'],
  ['a cut-off tar', TAR.subarray(0, 1_000_000), 'corrupt'],
  ['a cut-off gzip', gzipSync(TAR).subarray(0, 500), 'corrupt'],
  ['a cut-off xz', Buffer.from('fd377a585a0000', 'hex'), 'corrupt'],
  ['an escape', tarBytes([{ path: '../../etc/passwd', content: 'x' }]), 'hostile'],
])('%s is refused, and gets no name', async (_name, content, code) => {
  await using host = await temporaryHost();
  const reference = parseReference('imported:1');
  const input = { stream: Readable.from([content]) };
  await expect(importImage(host.engine, host.call, { ...OPTIONS, input, reference })).rejects.toMatchObject({
    code,
  });
  expect(await host.store.refs.list()).toEqual([]);
  expect(readdirSync(join(host.store.paths.root, 'partial'))).toEqual([]);
});

test('a file that is not there', async () => {
  await using host = await temporaryHost();
  const input = { path: join(host.folder, 'nothing') };
  await expect(importImage(host.engine, host.call, { ...OPTIONS, input })).rejects.toMatchObject({
    code: 'not-found',
  });
});
