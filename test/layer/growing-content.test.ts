import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type DecompressOptions, decompress } from '../../src/layer/compress/decompress.ts';
import type { LayerSource } from '../../src/layer/layer-change.ts';
import { FileGrowth } from '../../src/system/file/file-growth.ts';

const CONTENT = Buffer.concat([randomBytes(3 * 1024 * 1024), Buffer.alloc(2 * 1024 * 1024, 'text ')]);
const FORMS = { none: CONTENT, gzip: gzipSync(CONTENT), zstd: zstdCompressSync(CONTENT) };
const hashOf = (content: Buffer) => createHash('sha256').update(content).digest('hex');

/** A file that the test lets grow. */
class Growing {
  readonly growth = new FileGrowth();
  readonly source: LayerSource;
  #size = 0;

  constructor(compression: LayerSource['compression'], sizeBytes: number) {
    const folder = mkdtempSync(join(tmpdir(), 'ocits-growing-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'layer');
    writeFileSync(path, '');
    this.source = { path, compression, sizeBytes, growth: this.growth.memory };
  }

  add(bytes: Buffer): void {
    appendFileSync(this.source.path, bytes);
    this.#size += bytes.length;
    this.growth.grew(this.#size);
  }

  /** Whether a descriptor of this process leads to it. */
  get isOpen(): boolean {
    return readdirSync('/proc/self/fd').some((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === this.source.path;
      } catch {
        return false;
      }
    });
  }
}

async function hash(source: LayerSource, options: DecompressOptions): Promise<string> {
  const content = createHash('sha256');
  for await (const chunk of decompress(source, options)) content.update(chunk);
  return content.digest('hex');
}

function igzipChildren(): string {
  return execFileSync('ps', ['-o', 'comm=', '--ppid', String(process.pid)], { encoding: 'utf8' });
}

/** The same in a thread, which reads with blocking calls. */
async function hashInThread(source: LayerSource, options: DecompressOptions): Promise<string> {
  const module = new URL('../../src/layer/compress/decompress.ts', import.meta.url).href;
  const script = `
    const { createHash } = require('node:crypto');
    const { parentPort, workerData } = require('node:worker_threads');
    import(${JSON.stringify(module)}).then(async ({ decompress }) => {
      try {
        const hash = createHash('sha256');
        for await (const chunk of decompress(...workerData)) hash.update(chunk);
        parentPort.postMessage({ hash: hash.digest('hex') });
      } catch ({ code, message }) {
        parentPort.postMessage({ error: { code, message } });
      }
    });`;
  const worker = new Worker(script, { eval: true, workerData: [source, options] });
  try {
    const { hash, error } = await new Promise<{ hash: string; error?: object }>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', resolve);
    });
    if (error !== undefined) throw error;
    return hash;
  } finally {
    await worker.terminate();
  }
}

const pipePath = join(tmpdir(), `ocits-growing-pipe-${process.pid}`);
const WAYS: readonly [string, keyof typeof FORMS, DecompressOptions, typeof hash][] = [
  ['plain', 'none', {}, hash],
  ['plain, transient', 'none', { transient: true }, hash],
  ['gzip by igzip', 'gzip', {}, hash],
  ['gzip by igzip, in a thread', 'gzip', { pipePath, transient: true }, hashInThread],
  ['gzip by zlib', 'gzip', { programs: false }, hash],
  ['zstd', 'zstd', { transient: true }, hash],
];

describe.each(WAYS)('%s', (_name, compression, options, read) => {
  const bytes = FORMS[compression];

  test('the content comes while the file grows, and ends only when it is whole', async () => {
    const file = new Growing(compression, bytes.length);
    let isDone = false;
    const reading = read(file.source, options).finally(() => {
      isDone = true;
    });
    for (let at = 0; at < bytes.length; at += 700_000) {
      file.add(bytes.subarray(at, at + 700_000));
      await setImmediate();
    }
    // What has been read through may still turn out to be wrong.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(isDone).toBe(false);
    file.growth.end();
    expect(await reading).toBe(hashOf(CONTENT));
    expect(file.isOpen).toBe(false);
  });

  test('a file that was whole before it is read', async () => {
    const file = new Growing(compression, bytes.length);
    file.add(bytes);
    file.growth.end();
    expect(await read(file.source, options)).toBe(hashOf(CONTENT));
  });

  test('of a file that is dropped nothing passes for the content', async () => {
    for (const cut of [0, 1_000_000, bytes.length]) {
      const file = new Growing(compression, bytes.length);
      file.add(bytes.subarray(0, cut));
      const reading = read(file.source, options);
      reading.catch(() => {});
      await setImmediate();
      file.growth.drop();
      truncateSync(file.source.path, 0);
      await expect(reading).rejects.toMatchObject({ code: 'aborted' });
      await expect.poll(() => file.isOpen).toBe(false);
    }
    expect(igzipChildren()).not.toContain('igzip');
  });
});

// A thread that reads with blocking calls waits for the file alone.
describe.each(WAYS.filter(([, , , read]) => read === hash))('%s', (_name, compression, options) => {
  const bytes = FORMS[compression];

  test('an abort ends it where nothing comes any more', async () => {
    const file = new Growing(compression, bytes.length);
    file.add(bytes.subarray(0, 1_500_000));
    const controller = new AbortController();
    const reading = hash(file.source, { ...options, signal: controller.signal });
    reading.catch(() => {});
    await setImmediate();
    controller.abort();
    await expect(reading).rejects.toMatchObject({ code: 'aborted' });
    await expect.poll(() => file.isOpen).toBe(false);
  });
});

test.each([{}, { programs: false }])(
  'gzip that is damaged, or has more after its end (%j)',
  async (options) => {
    for (const bytes of [
      Buffer.concat([FORMS.gzip.subarray(0, -8), Buffer.alloc(4), FORMS.gzip.subarray(-4)]),
      Buffer.concat([FORMS.gzip, Buffer.from('some garbage')]),
      Buffer.concat([FORMS.gzip, Buffer.alloc(512)]),
      FORMS.gzip.subarray(0, -1000),
      CONTENT,
    ]) {
      const file = new Growing('gzip', bytes.length);
      file.add(bytes.subarray(0, 2_000_000));
      const reading = hash(file.source, options);
      reading.catch(() => {});
      await setImmediate();
      file.add(bytes.subarray(2_000_000));
      file.growth.end();
      await expect(reading).rejects.toMatchObject({ code: 'corrupt' });
    }
    const members = Buffer.concat([FORMS.gzip, FORMS.gzip]);
    const file = new Growing('gzip', members.length);
    const reading = hash(file.source, options);
    file.add(members.subarray(0, FORMS.gzip.length + 5));
    await setImmediate();
    file.add(members.subarray(FORMS.gzip.length + 5));
    file.growth.end();
    expect(await reading).toBe(hashOf(Buffer.concat([CONTENT, CONTENT])));
  },
);
