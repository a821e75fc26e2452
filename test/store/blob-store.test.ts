import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { type Digest, digestHex, digestOf } from '../../src/oci/digest.ts';
import type { BlobStore, BlobWriter, IngestRequest } from '../../src/store/blob-store.ts';
import { temporaryStore } from '../support/image/temporary-store.ts';

const CONTENT = Buffer.from('0123456789'.repeat(200_000));
const DIGEST = digestOf(CONTENT);

async function begin(blobs: BlobStore, request: IngestRequest): Promise<BlobWriter> {
  const writer = await blobs.ingest(request);
  if ('exists' in writer) throw new Error('the blob is there already');
  return writer;
}

function* chunksOf(content: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

test('stores what is written, whatever the chunks, readonly and for nobody else', async () => {
  await using made = await temporaryStore();
  const { blobs } = made.store;
  for (const size of [1000, 65_536, 700_001]) {
    await blobs.delete(DIGEST);
    await using writer = await begin(blobs, { digest: DIGEST, sizeBytes: CONTENT.length });
    const reused = Buffer.alloc(size);
    for (const chunk of chunksOf(CONTENT, size)) {
      chunk.copy(reused);
      await writer.write(reused.subarray(0, chunk.length));
    }
    expect(await writer.commit()).toEqual({ digest: DIGEST, sizeBytes: CONTENT.length });
    expect(await writer.commit()).toEqual({ digest: DIGEST, sizeBytes: CONTENT.length });
    expect((await readFile(blobs.path(DIGEST))).equals(CONTENT)).toBe(true);
  }
  expect(statSync(blobs.path(DIGEST)).mode & 0o777).toBe(0o400);
  expect(statSync(made.store.paths.root).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(made.store.paths.root, 'partial'))).toEqual([]);
  expect(await blobs.ingest({ digest: DIGEST })).toEqual({
    exists: { digest: DIGEST, sizeBytes: CONTENT.length },
  });
});

test('a blob without a known digest gets its name from its content', async () => {
  await using made = await temporaryStore();
  const { blobs } = made.store;
  {
    await using writer = await begin(blobs, {});
    await writer.write(CONTENT);
    expect((await writer.commit()).digest).toBe(DIGEST);
  }
  {
    await using abandoned = await begin(blobs, {});
    await abandoned.write(CONTENT);
  }
  expect(await readdir(join(made.store.paths.root, 'partial'))).toEqual([]);
});

test('an interrupted download goes on where it stopped', async () => {
  await using made = await temporaryStore();
  const { blobs } = made.store;
  const request = { digest: DIGEST, sizeBytes: CONTENT.length };
  {
    await using writer = await begin(blobs, request);
    await writer.write(CONTENT.subarray(0, 700_000));
  }
  expect(await blobs.stat(DIGEST)).toBeUndefined();
  await using writer = await begin(blobs, request);
  expect(writer.offset).toBe(700_000);
  await writer.write(CONTENT.subarray(700_000));
  await writer.commit();
  expect((await blobs.read(DIGEST)).equals(CONTENT)).toBe(true);
});

test('a damaged partial file is found out, deleted, and the next try begins anew', async () => {
  await using made = await temporaryStore();
  const { blobs } = made.store;
  const partial = join(made.store.paths.root, 'partial', `sha256-${digestHex(DIGEST)}`);
  await writeFile(partial, 'X'.repeat(1000));
  {
    await using writer = await begin(blobs, { digest: DIGEST });
    expect(writer.offset).toBe(1000);
    await writer.write(CONTENT.subarray(1000));
    await expect(writer.commit()).rejects.toMatchObject({ code: 'digest-mismatch' });
  }
  expect(await readdir(join(made.store.paths.root, 'partial'))).toEqual([]);
  await writeFile(partial, Buffer.concat([CONTENT, CONTENT]));
  await using writer = await begin(blobs, { digest: DIGEST, sizeBytes: CONTENT.length });
  expect(writer.offset).toBe(0);
  await writer.write(CONTENT.subarray(0, 5));
  await writer.reset();
  await writer.write(CONTENT);
  await writer.commit();
  expect((await blobs.read(DIGEST)).equals(CONTENT)).toBe(true);
});

test('a wrong size is an error, too much at once, too little at the end', async () => {
  await using made = await temporaryStore();
  const { blobs } = made.store;
  {
    await using writer = await begin(blobs, { digest: DIGEST, sizeBytes: 100 });
    await writer.write(CONTENT.subarray(0, 90));
    await expect(writer.write(CONTENT.subarray(90, 101))).rejects.toMatchObject({ code: 'size-mismatch' });
  }
  {
    await using writer = await begin(blobs, { digest: DIGEST, sizeBytes: 100 });
    expect(writer.offset).toBe(0);
    await writer.write(CONTENT.subarray(0, 90));
    await expect(writer.commit()).rejects.toMatchObject({ code: 'size-mismatch' });
  }
  expect(await readdir(join(made.store.paths.root, 'partial'))).toEqual([]);
});

test('two callers that want one blob download it once', async () => {
  await using made = await temporaryStore();
  const { blobs } = made.store;
  const first = await begin(blobs, { digest: DIGEST });
  let isWaiting = true;
  const second = blobs.ingest({ digest: DIGEST }).finally(() => {
    isWaiting = false;
  });
  await first.write(CONTENT);
  expect(isWaiting).toBe(true);
  await first.commit();
  expect(await second).toHaveProperty('exists');
});

test('a second process waits for the first, and takes over where that was killed', async () => {
  await using made = await temporaryStore();
  const { paths, blobs } = made.store;
  const script = join(made.folder, 'writer.ts');
  await writeFile(
    script,
    `import { openStore } from '${import.meta.dirname}/../../src/store/open-store.ts';
     const store = await openStore(${JSON.stringify(paths)});
     const writer = await store.blobs.ingest({ digest: '${DIGEST}' });
     await writer.write(Buffer.from('0123456789'.repeat(60_000)));
     await writer.write(Buffer.from('0123456789'.repeat(60_000)));
     process.stdout.write('written');
     setInterval(() => {}, 1000);`,
  );
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const waiting = blobs.ingest({ digest: DIGEST, sizeBytes: CONTENT.length });
  child.kill('SIGKILL');
  const writer = await waiting;
  if ('exists' in writer) throw new Error('nobody has finished it');
  await using _closed = writer;
  expect(writer.offset).toBeGreaterThan(0);
  await writer.write(CONTENT.subarray(writer.offset));
  await writer.commit();
});

test('waiting for another download can be interrupted', async () => {
  await using made = await temporaryStore();
  const { blobs } = made.store;
  await using _first = await begin(blobs, { digest: DIGEST });
  const controller = new AbortController();
  const second = blobs.ingest({ digest: DIGEST, signal: controller.signal });
  controller.abort();
  await expect(second).rejects.toBe(controller.signal.reason);
});

test('put, ranges, and a blob that is not there', async () => {
  await using made = await temporaryStore();
  const { blobs } = made.store;
  const { digest } = await blobs.put('hello world');
  expect(await blobs.put('hello world')).toEqual({ digest, sizeBytes: 11 });
  expect(await text(await blobs.open(digest))).toBe('hello world');
  expect(await text(await blobs.open(digest, { start: 6 }))).toBe('world');
  expect(await text(await blobs.open(digest, { start: 0, end: 5 }))).toBe('hello');
  expect((await buffer(await blobs.open(digest, { start: 3, end: 3 }))).length).toBe(0);
  await expect(blobs.open(DIGEST)).rejects.toMatchObject({ code: 'not-found' });
  await expect(blobs.read(DIGEST)).rejects.toMatchObject({ code: 'not-found' });
  await expect(blobs.read(digest, 5)).rejects.toMatchObject({ code: 'corrupt' });
  expect(() => blobs.path('sha256:../../etc/passwd' as Digest)).toThrow(
    expect.objectContaining({ code: 'invalid-digest' }),
  );
});

test('a blob that changed on the disk is not read, and one of another size is replaced', async () => {
  await using made = await temporaryStore();
  const { blobs } = made.store;
  const { digest } = await blobs.put('hello world');
  await appendFile(blobs.path(digest), '!');
  await expect(blobs.read(digest)).rejects.toMatchObject({ code: 'corrupt' });
  await blobs.put('hello world');
  expect((await blobs.read(digest)).toString()).toBe('hello world');
});

test('adopts a file by a rename, and drops it where the blob is there', async () => {
  await using made = await temporaryStore();
  const { blobs, paths } = made.store;
  const path = join(paths.root, 'layer.tar');
  for (let round = 0; round < 2; round++) {
    await writeFile(path, CONTENT);
    expect(await blobs.adopt(path, DIGEST)).toEqual({ digest: DIGEST, sizeBytes: CONTENT.length });
    expect(readdirSync(paths.root)).not.toContain('layer.tar');
  }
  expect(statSync(blobs.path(DIGEST)).mode & 0o777).toBe(0o400);
});

test('lists all blobs, those of sha512 as well', async () => {
  await using made = await temporaryStore();
  const { blobs } = made.store;
  const long =
    `sha512:${'ee26b0dd4af7e749aa1a8ee3c10ae9923f618980772e473f8819a5d4940e0db27ac185f8a0e1d5f84f88bc887fd67b143732c304cc5fa9ad8e6f57f50028a8ff'}` as Digest;
  await using writer = await begin(blobs, { digest: long });
  await writer.write(Buffer.from('test'));
  await writer.commit();
  await blobs.put('test');
  const found: Digest[] = [];
  for await (const blob of blobs.list()) found.push(blob.digest);
  expect(found.sort()).toEqual([digestOf('test'), long].sort());
  expect((await blobs.read(long)).toString()).toBe('test');
});
