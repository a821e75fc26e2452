import { closeSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { CompressionFormat } from '../../layer/compression-format.ts';
import type { FileEntry } from '../../layer/layer-change.ts';
import { decompressArchive, indexArchive } from '../add/archive.ts';
import { openArchiveFile } from '../add/open-file.ts';
import { TreeSource } from '../target/written-tree.ts';

/** A build context that came as a tar archive; disposing deletes what was unpacked of it. */
export interface TarContext extends AsyncDisposable {
  readonly source: TreeSource;
}

/**
 * Reads the archive `fd` as a build context: decompressed to the file `path`, which must not exist, and listed. Nothing
 * is unpacked. Owners stay as they are in it and a `.dockerignore` in it is a file like any other, as in BuildKit.
 * Throws `corrupt`, `hostile`, `unsupported` and `missing-program`.
 */
export async function openTarContext(
  fd: number,
  form: CompressionFormat,
  path: string,
  signal?: AbortSignal,
): Promise<TarContext> {
  const name = 'the build context';
  await decompressArchive({ fd, form, name }, path, signal);
  const tree = await indexArchive(path, name, signal);
  const tar = openSync(path, 'r');
  const source = new TreeSource(name, tree, ({ entry }) =>
    openArchiveFile(tar, entry as FileEntry, dirname(path)),
  );
  const dispose = async () => {
    closeSync(tar);
    await rm(path, { force: true });
  };
  return { source, [Symbol.asyncDispose]: dispose };
}
