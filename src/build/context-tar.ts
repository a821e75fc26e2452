import { closeSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { FileEntry } from '../layer/layer-change.ts';
import { decompressArchive, indexArchive } from './add-archive.ts';
import type { ArchiveForm } from './add-archive-form.ts';
import { TreeSource } from './copy-tree.ts';

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
  form: ArchiveForm,
  path: string,
  signal?: AbortSignal,
): Promise<TarContext> {
  await decompressArchive(path, fd, form, signal);
  const tree = await indexArchive(path, signal);
  const tar = openSync(path, 'r');
  const source = new TreeSource('the build context', tree, ({ entry }) => {
    return { fd: tar, start: (entry as FileEntry).dataOffset, close: () => {} };
  });
  const dispose = async () => {
    closeSync(tar);
    await rm(path, { force: true });
  };
  return { source, [Symbol.asyncDispose]: dispose };
}
