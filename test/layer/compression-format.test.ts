import { execFileSync } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { boundedContent } from '../../src/layer/compress/bounded-content.ts';
import { compressionFormat, describeFile } from '../../src/layer/compression-format.ts';

const CONTENT = Buffer.from('content\n'.repeat(1000));

test.each([
  ['none', CONTENT],
  ['gzip', gzipSync(CONTENT)],
  ['zstd', zstdCompressSync(CONTENT)],
  [
    'zstd',
    Buffer.concat([Buffer.from('502a4d1802000000', 'hex'), Buffer.from('hi'), zstdCompressSync(CONTENT)]),
  ],
  ['bzip2', execFileSync('bzip2', { input: CONTENT })],
  ['xz', execFileSync('xz', { input: CONTENT })],
] as const)('%s is seen by its first bytes, and read', async (compression, bytes) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'ocits-format-'));
  const path = join(folder.path, 'file');
  await writeFile(path, bytes);
  const file = await describeFile(path, 'the file');
  expect(file).toEqual({ path, compression, sizeBytes: bytes.length, name: 'the file' });
  expect(Buffer.concat(await Array.fromAsync(boundedContent(file)))).toEqual(CONTENT);
});

test('too few bytes are no format', () => {
  expect(compressionFormat(Buffer.from([0x1f, 0x8b]))).toBe('none');
  expect(compressionFormat(Buffer.alloc(0))).toBe('none');
});

test('errors call the file by its name', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'ocits-format-'));
  const path = join(folder.path, 'file');
  for (const bytes of [
    gzipSync(CONTENT).subarray(0, -9),
    execFileSync('xz', { input: CONTENT }).subarray(0, -9),
  ]) {
    await writeFile(path, bytes);
    const reading = Array.fromAsync(boundedContent(await describeFile(path, 'the file of the test')));
    await expect(reading).rejects.toMatchObject({
      code: 'corrupt',
      message: expect.stringMatching(/^cannot (read|decompress) the file of the test: /),
    });
  }
});

test('a program that is not there is named', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'ocits-format-'));
  const path = join(folder.path, 'file');
  await writeFile(path, execFileSync('xz', { input: CONTENT }));
  const file = await describeFile(path, 'the file');
  const known = process.env['PATH'];
  process.env['PATH'] = folder.path;
  try {
    await expect(Array.fromAsync(boundedContent(file))).rejects.toMatchObject({
      code: 'missing-program',
      hint: expect.stringContaining('xz-utils'),
    });
  } finally {
    process.env['PATH'] = known;
  }
});

test('growth has its limits', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'ocits-format-'));
  const path = join(folder.path, 'file');
  await writeFile(path, zstdCompressSync(Buffer.alloc(4_000_000)));
  const file = await describeFile(path, 'the file');
  const limits = { ratioFloorBytes: 1_000_000 };
  await expect(Array.fromAsync(boundedContent(file, { limits }))).rejects.toMatchObject({
    code: 'hostile',
    message: 'the file unpacks to over 200 times its compressed size',
  });
});
