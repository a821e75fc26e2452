import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempDisposableSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { type CompressOptions, compressLayer } from '../../src/layer/compress/compress-layer.ts';
import { decompress } from '../../src/layer/compress/decompress.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { entry, tar } from '../support/layer/raw-tar.ts';

const temporary = mkdtempDisposableSync(join(tmpdir(), 'ocits-compress-'));
afterAll(() => temporary.remove());
let made = 0;
const newPath = () => join(temporary.path, `${made++}`);

/** Bytes without any pattern, the same everywhere. */
function noise(length: number): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) parts.push(createHash('sha256').update(`block ${i}`).digest());
  return Buffer.concat(parts).subarray(0, length);
}

function text(length: number): Buffer {
  const lines = Array.from(
    { length: length / 30 },
    (_, i) => `line ${i}: ${(i * 7919) % 10_007} and ${i % 13}\n`,
  );
  return Buffer.from(lines.join('')).subarray(0, length);
}

const MIB = 1024 * 1024;
/** Text, zeros, noise, and a mixture; not a whole number of blocks. */
const CORPUS = Buffer.concat([text(2 * MIB), Buffer.alloc(MIB), noise(2.5 * MIB), text(MIB), noise(12_345)]);

async function compress(
  content: Buffer,
  options: CompressOptions,
): Promise<{ bytes: Buffer; digest: string }> {
  const source = newPath();
  const target = newPath();
  writeFileSync(source, content);
  const { digest, sizeBytes } = await compressLayer(source, target, options);
  const bytes = readFileSync(target);
  expect(bytes.length).toBe(sizeBytes);
  expect(digestOf(bytes)).toBe(digest);
  return { bytes, digest };
}

describe.each(['gzip', 'zstd'] as const)('%s', (format) => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a byte', Buffer.from('a')],
    ['a block', text(MIB)],
    ['a block of noise', noise(MIB)],
    ['a block and a byte', text(MIB + 1)],
    ['a corpus', CORPUS],
  ])('%s comes back, by our reader and by the usual tool', async (_name, content) => {
    const { bytes } = await compress(content, { format });
    const path = newPath();
    writeFileSync(path, bytes);
    const hash = createHash('sha256');
    for await (const chunk of decompress({ path, compression: format, sizeBytes: bytes.length }))
      hash.update(chunk);
    expect(`sha256:${hash.digest('hex')}`).toBe(digestOf(content));
    const byTool = execFileSync(format, ['-d', '-c'], { input: bytes, maxBuffer: 64 * MIB });
    expect(byTool.equals(content)).toBe(true);
  });

  test('the size of the corpus, which is 2.5 MiB of noise at the least', async () => {
    const { bytes } = await compress(CORPUS, { format });
    expect(bytes.length).toBeGreaterThan(2.5 * MIB);
    expect(bytes.length).toBeLessThan(3.6 * MIB);
  });

  test('one core and one thread give the same bytes', async () => {
    const source = newPath();
    writeFileSync(source, CORPUS);
    const script = `
      const { compressLayer } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/layer/compress/compress-layer.ts'))});
      const { digest } = await compressLayer(${JSON.stringify(source)}, ${JSON.stringify(newPath())}, { format: '${format}' });
      process.stdout.write(digest);`;
    const args = ['-c', '0', process.execPath, '--input-type=module', '-e', script];
    const alone = execFileSync('taskset', args, {
      env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(alone.toString()).toBe((await compress(CORPUS, { format })).digest);
  });

  test('an abort ends it and leaves no file', async () => {
    const source = newPath();
    const target = newPath();
    writeFileSync(source, CORPUS);
    const controller = new AbortController();
    const onBytes = (bytes: number) => {
      if (bytes > 2 * MIB) controller.abort();
    };
    const run = compressLayer(source, target, { format, signal: controller.signal, onBytes });
    await expect(run).rejects.toMatchObject({ code: 'aborted' });
    expect(existsSync(target)).toBe(false);
  });

  test('all bytes are reported', async () => {
    const reported: number[] = [];
    await compress(CORPUS, { format, onBytes: (bytes) => reported.push(bytes) });
    expect(reported.at(-1)).toBe(CORPUS.length);
    expect(reported).toEqual(reported.toSorted((a, b) => a - b));
  });

  test('the Go library that podman, buildah and skopeo use reads it', async () => {
    const layer = tar(entry({ name: 'noise' }, noise(2 * MIB)), entry({ name: 'text' }, text(2 * MIB)));
    const { bytes, digest } = await compress(layer, { format });
    const layout = makeLayout(bytes, digest, layer, format);
    const copy = newPath();
    const args = ['copy', '-q', '--dest-decompress', `oci:${layout}:latest`, `dir:${copy}`];
    execFileSync('skopeo', args, { stdio: 'pipe' });
    expect(readFileSync(join(copy, digestOf(layer).slice('sha256:'.length))).equals(layer)).toBe(true);
  });
});

/** An OCI layout with one image of one layer. */
function makeLayout(blob: Buffer, digest: string, layer: Buffer, format: string): string {
  const layout = newPath();
  const put = (content: Buffer | object) => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    writeFileSync(join(layout, 'blobs/sha256', digestOf(bytes).slice('sha256:'.length)), bytes);
    return { digest: digestOf(bytes), size: bytes.length };
  };
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  put(blob);
  const config = put({
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    history: [{ created_by: 'test' }],
  });
  const manifest = put({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: `application/vnd.oci.image.layer.v1.tar+${format}`, digest, size: blob.length }],
  });
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' };
  const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', ...manifest, annotations };
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return layout;
}

describe('pinned', () => {
  // The same with the zlib of Node 22.15 and of 24.21, and on x86-64 with and without SSE 4.2. A change here gives
  // every layer that is pushed anew another digest.
  test('the gzip of the corpus', async () => {
    expect((await compress(CORPUS, { format: 'gzip' })).digest).toBe(
      'sha256:cad3a4cbe9ac24b6a32372c4f2d1bb8bd6eb98d51d89dfe5ae63323622fbe7a3',
    );
  });

  // zstd does not promise the same bytes from one version to the next, and does not keep them either.
  test('the zstd of the corpus', async () => {
    const wanted: Record<string, string> = {
      '1.5.6': 'sha256:7b0fa0afffb06aedebfc7e8cd05e564b3e047e2b345aa95b61938bbba55b2a6b',
      '1.5.7': 'sha256:b07f5b1ff506038466c7702025f32b245bc2cb8be3f05824cc7af18a120f59b7',
    };
    expect((await compress(CORPUS, { format: 'zstd' })).digest).toBe(wanted[process.versions['zstd']!]);
  });

  test('a gzip head without time, name and system, and one member', async () => {
    const { bytes } = await compress(CORPUS, { format: 'gzip' });
    expect(bytes.subarray(0, 10).toString('hex')).toBe('1f8b08000000000000ff');
    const [only] = [
      gunzipSync(bytes, { info: true } as object) as unknown as { engine: { bytesWritten: number } },
    ];
    expect(only.engine.bytesWritten).toBe(bytes.length);
  });

  test('noise is stored, and costs 5 bytes each 64 KiB', async () => {
    const { bytes } = await compress(noise(4 * MIB), { format: 'gzip' });
    expect(bytes.length).toBe(4 * MIB + 4 * 17 * 5 + 20);
  });
});

test('a source that is not there, and a target that is', async () => {
  const source = newPath();
  const target = newPath();
  await expect(compressLayer(source, target, { format: 'gzip' })).rejects.toMatchObject({
    code: 'not-found',
  });
  expect(existsSync(target)).toBe(false);
  writeFileSync(source, 'source');
  writeFileSync(target, 'target');
  await expect(compressLayer(source, target, { format: 'gzip' })).rejects.toMatchObject({
    code: 'already-exists',
  });
  expect(statSync(target).size).toBe(6);
});
