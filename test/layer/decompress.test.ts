import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DecompressOptions, decompress } from '../../src/layer/compress/decompress.ts';
import type { LayerSource } from '../../src/layer/layer-change.ts';

/** Big enough for igzip to be asked: 3 MiB that deflate does not shrink, and some that it does. */
const CONTENT = Buffer.concat([randomBytes(3 * 1024 * 1024), Buffer.alloc(2 * 1024 * 1024, 'text ')]);
const gzip = gzipSync(CONTENT);
const zstd = zstdCompressSync(CONTENT, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });

let folder: Awaited<ReturnType<typeof mkdtempDisposable>>;
beforeAll(async () => {
  folder = await mkdtempDisposable(join(tmpdir(), 'ocits-decompress-'));
});
afterAll(() => folder.remove());

async function source(compression: LayerSource['compression'], bytes: Buffer): Promise<LayerSource> {
  const path = join(folder.path, createHash('sha256').update(bytes).digest('hex'));
  await writeFile(path, bytes);
  return { path, compression, sizeBytes: bytes.length };
}

async function read(
  compression: LayerSource['compression'],
  bytes: Buffer,
  options: DecompressOptions = {},
): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of decompress(await source(compression, bytes), options)) hash.update(chunk);
  return hash.digest('hex');
}

function hashOf(...parts: Buffer[]): string {
  return createHash('sha256').update(Buffer.concat(parts)).digest('hex');
}

describe.each<[string, DecompressOptions]>([
  ['by igzip', {}],
  [
    'by igzip through a pipe of its own',
    { pipePath: join(tmpdir(), `ocits-pipe-${process.pid}`), transient: true },
  ],
  ['by zlib', { programs: false }],
])('gzip %s', (_name, options) => {
  test('one member, and several', async () => {
    expect(await read('gzip', gzip, options)).toBe(hashOf(CONTENT));
    expect(await read('gzip', Buffer.concat([gzip, gzip, gzipSync('end')]), options)).toBe(
      hashOf(CONTENT, CONTENT, Buffer.from('end')),
    );
  });

  test.each([
    ['cut off', gzip.subarray(0, 2_000_000)],
    ['cut off in its trailer', gzip.subarray(0, -2)],
    ['with garbage after it', Buffer.concat([gzip, Buffer.from('some garbage')])],
    ['with zeros after it', Buffer.concat([gzip, Buffer.alloc(512)])],
    ['with zeros between members', Buffer.concat([gzip, Buffer.alloc(512), gzipSync('end')])],
    ['whose second member is cut off', Buffer.concat([gzip, gzip.subarray(0, 3000)])],
    ['with a wrong checksum', Buffer.concat([gzip.subarray(0, -8), Buffer.alloc(4), gzip.subarray(-4)])],
    ['that is none', CONTENT],
  ])('%s', async (_what, bytes) => {
    await expect(read('gzip', bytes, options)).rejects.toMatchObject({ code: 'corrupt' });
  });
});

test('whoever leaves a pipe early leaves no program and no name', async () => {
  const pipePath = join(folder.path, 'pipe');
  for await (const _ of decompress(await source('gzip', gzip), { pipePath })) break;
  expect(readdirSync(folder.path)).not.toContain('pipe');
  const children = execFileSync('ps', ['-o', 'comm=', '--ppid', String(process.pid)], { encoding: 'utf8' });
  expect(children).not.toContain('igzip');
});

describe('zstd', () => {
  test('frames big and small, and one that is small but for its content', async () => {
    const zeros = Buffer.alloc(20 * 1024 * 1024);
    const small = Array.from({ length: 300 }, (_, i) => Buffer.from(`file ${i}\n`.repeat(i)));
    const bytes = Buffer.concat([
      zstd,
      ...small.map((part) => zstdCompressSync(part)),
      zstdCompressSync(zeros),
      zstd,
    ]);
    expect(await read('zstd', bytes)).toBe(hashOf(CONTENT, ...small, zeros, CONTENT));
  });

  test('cut off anywhere', async () => {
    for (const end of [3, 5, 9, 1000, 200_000, zstd.length - 1]) {
      await expect(read('zstd', zstd.subarray(0, end))).rejects.toMatchObject({ code: 'corrupt' });
    }
  });

  test('damaged', async () => {
    const damaged = Buffer.concat([zstd]);
    damaged[zstd.length - 20]! ^= 1;
    await expect(read('zstd', damaged)).rejects.toMatchObject({ code: 'corrupt' });
  });
});

describe.each(['none', 'gzip', 'zstd'] as const)('%s', (compression) => {
  const bytes = { none: CONTENT, gzip, zstd }[compression];

  test('chunks stay as they are, unless they are said to be transient', async () => {
    const layer = await source(compression, bytes);
    expect(hashOf(...(await Array.fromAsync(decompress(layer))))).toBe(hashOf(CONTENT));
    const hash = createHash('sha256');
    for await (const chunk of decompress(layer, { transient: true })) hash.update(chunk);
    expect(hash.digest('hex')).toBe(hashOf(CONTENT));
  });

  test('an abort ends it', async () => {
    const controller = new AbortController();
    const run = async () => {
      for await (const _ of decompress(await source(compression, bytes), { signal: controller.signal })) {
        controller.abort();
      }
    };
    await expect(run()).rejects.toMatchObject({ code: 'aborted' });
  });

  test('a consumer that leaves early leaves nothing open', async () => {
    for await (const chunk of decompress(await source(compression, bytes))) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  });

  test('a file that is not there', async () => {
    const missing: LayerSource = { path: join(folder.path, 'missing'), compression, sizeBytes: 5_000_000 };
    await expect(Array.fromAsync(decompress(missing))).rejects.toMatchObject({ code: 'not-found' });
  });
});
