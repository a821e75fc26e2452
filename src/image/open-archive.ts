import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, OcitsError, wrapError } from '../errors.ts';
import { decompress } from '../layer/decompress.ts';
import type { LayerSource } from '../layer/layer-change.ts';
import type { Store } from '../store/store.ts';
import { temporaryName } from '../system/atomic-file.ts';
import { StagedFile } from '../system/staged-file.ts';
import { openArchive } from './archive-file.ts';
import { detectCompression } from './detect-compression.ts';
import { type FileSet, folderFiles } from './file-set.ts';

const MAGIC_BYTES = 8;

/** A path, or a stream such as standard input. */
export type ArchiveInput = { readonly path: string } | { readonly stream: AsyncIterable<Uint8Array> };

/**
 * Opens an archive or the folder of an OCI layout. What is compressed, or cannot be read from anywhere (a pipe), goes
 * through a temporary file of the store that has no name any more once this returns. Throws `not-found`, `corrupt`,
 * `unsupported`.
 */
export async function openImageFiles(
  store: Store,
  input: ArchiveInput,
  signal?: AbortSignal,
): Promise<FileSet> {
  const spool = temporaryName(join(store.paths.root, 'partial'));
  const name = 'path' in input ? input.path : 'the archive on standard input';
  try {
    if ('stream' in input) return await openStream(spool, input.stream, signal);
    const found = await stat(input.path);
    if (found.isDirectory()) return folderFiles(input.path);
    if (!found.isFile()) return await openStream(spool, createReadStream(input.path), signal);
    const compression = detectCompression(await startOf(input.path));
    if (compression === 'none') return await openArchive(input.path);
    return await openCompressed(spool, { path: input.path, compression, sizeBytes: found.size }, signal);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) {
      throw new OcitsError('not-found', `open ${name}: no such file or directory`, { cause: error });
    }
    throw wrapError(error, 'corrupt', `cannot open ${name}`);
  }
}

async function openStream(
  spool: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<FileSet> {
  return await withSpool(spool, content, signal, async (sizeBytes) => {
    const compression = detectCompression(await startOf(spool));
    if (compression === 'none') return await openArchive(spool);
    return await openCompressed(`${spool}-plain`, { path: spool, compression, sizeBytes }, signal);
  });
}

/** Unpacks once, not again and again: there are gzip files that unpack to themselves. */
async function openCompressed(
  spool: string,
  source: LayerSource,
  signal: AbortSignal | undefined,
): Promise<FileSet> {
  const content = decompress(source, signal === undefined ? {} : { signal });
  return await withSpool(spool, content, signal, async () => await openArchive(spool));
}

/** What is open stays readable without a name, and nothing stays behind however this process ends. */
async function withSpool(
  spool: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
  work: (sizeBytes: number) => Promise<FileSet>,
): Promise<FileSet> {
  try {
    return await work(await writeSpool(spool, content, signal));
  } finally {
    await unlink(spool).catch(() => {});
  }
}

async function writeSpool(
  path: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const file = await open(path, 'wx', 0o600);
  try {
    const staged = new StagedFile(file);
    let written = 0;
    for await (const chunk of content) {
      signal?.throwIfAborted();
      await staged.write(chunk);
      written += chunk.length;
    }
    await staged.drain();
    return written;
  } finally {
    await file.close();
  }
}

async function startOf(path: string): Promise<Buffer> {
  const file: FileHandle = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(MAGIC_BYTES);
    const { bytesRead } = await file.read(buffer, 0, MAGIC_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
