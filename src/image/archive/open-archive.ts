import { createReadStream } from 'node:fs';
import { open, stat, unlink } from 'node:fs/promises';
import { isErrno, OcitsError, wrapError } from '../../errors.ts';
import { boundedContent } from '../../layer/compress/bounded-content.ts';
import { type CompressedFile, describeFile, nameOfFile } from '../../layer/compression-format.ts';
import type { Store } from '../../store/store.ts';
import { temporaryName } from '../../system/file/atomic-file.ts';
import { StagedFile } from '../../system/file/staged-file.ts';
import { partialFolder } from '../../system/paths.ts';
import { openArchive } from './archive-file.ts';
import { type FileSet, folderFiles } from './file-set.ts';

/** A path, or a stream such as standard input. */
export type ArchiveInput = { readonly path: string } | { readonly stream: AsyncIterable<Uint8Array> };

/** What errors call the input. */
export function inputLabel(input: ArchiveInput): string {
  return 'path' in input ? input.path : 'the archive on standard input';
}

/**
 * Opens an archive or the folder of an OCI layout. A compressed archive goes through a temporary file of the store, and
 * so does one that can only be read from its start (a pipe). The file has no name any more once this returns. Throws
 * `not-found`, `corrupt`, `unsupported`.
 */
export async function openImageFiles(
  store: Store,
  input: ArchiveInput,
  signal?: AbortSignal,
): Promise<FileSet> {
  const spool = temporaryName(partialFolder(store.paths.root));
  const name = inputLabel(input);
  try {
    if ('stream' in input) return await openStream({ content: input.stream, name }, spool, signal);
    const found = await stat(input.path);
    if (found.isDirectory()) return folderFiles(input.path);
    if (!found.isFile())
      return await openStream({ content: createReadStream(input.path), name }, spool, signal);
    const file = await describeFile(input.path, name);
    if (file.compression === 'none') return await openArchive(input.path);
    return await openCompressed(spool, file, signal);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) {
      throw new OcitsError('not-found', `open ${name}: no such file or directory`, { cause: error });
    }
    throw wrapError(error, 'corrupt', `cannot open ${name}`);
  }
}

async function openStream(
  { content, name }: { readonly content: AsyncIterable<Uint8Array>; readonly name: string },
  spool: string,
  signal: AbortSignal | undefined,
): Promise<FileSet> {
  return await withSpool(spool, content, signal, async () => {
    const file = await describeFile(spool, name);
    if (file.compression === 'none') return await openArchive(spool, name);
    return await openCompressed(`${spool}-plain`, file, signal);
  });
}

/** Unpacks once, not again and again: there are gzip files that unpack to themselves. */
async function openCompressed(
  spool: string,
  source: CompressedFile,
  signal: AbortSignal | undefined,
): Promise<FileSet> {
  const content = boundedContent(source, signal === undefined ? {} : { signal });
  return await withSpool(spool, content, signal, async () => await openArchive(spool, nameOfFile(source)));
}

/** What is open stays readable without a name, and nothing stays behind however this process ends. */
async function withSpool(
  spool: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
  work: () => Promise<FileSet>,
): Promise<FileSet> {
  try {
    await writeSpool(spool, content, signal);
    return await work();
  } finally {
    await unlink(spool).catch(() => {});
  }
}

async function writeSpool(
  path: string,
  content: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    const staged = new StagedFile(file);
    for await (const chunk of content) {
      signal?.throwIfAborted();
      await staged.write(chunk);
    }
    await staged.drain();
  } finally {
    await file.close();
  }
}
