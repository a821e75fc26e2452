/**
 * The room of what only ADD does: archives that it unpacks, and files that it fetches by a URL. `copy` and `step`
 * call it, and `context` for a context that comes as a tar. Whether a file is an archive is told by what is in it,
 * never by its name. An archive is decompressed to a plain tar and read from there; its files are not unpacked.
 *
 *     const form = await detectArchive(fd);
 *     if (form !== undefined) await decompressArchive({ fd, form, name: 'app.tgz' }, path, signal);
 *     const tree = await indexArchive(path, 'app.tgz', signal);
 */

import { closeSync, createWriteStream, fstatSync, openSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Word } from '../../dockerfile/source.ts';
import { isOcitsError, OcitsError, wrapError } from '../../errors.ts';
import { boundedContent } from '../../layer/compress/bounded-content.ts';
import type { CompressionFormat } from '../../layer/compression-format.ts';
import { createIndexBuilder, decodeIndex } from '../../layer/index/layer-index.ts';
import type { BytePath, FileEntry, LayerChange, LayerEntry } from '../../layer/layer-change.ts';
import { DEFAULT_LIMITS } from '../../layer/layer-limits.ts';
import { type MergedTree, mergeIndexes } from '../../layer/merge/merged-tree.ts';
import { readLayer } from '../../layer/tar/read-layer.ts';
import { copyError, quotePath } from '../source/copy-error.ts';
import { type LinkEntry, resolvePath } from '../source/resolve.ts';
import { type PlannedEntry, plannedAttributes } from '../target/target.ts';
import { openArchiveFile } from './open-file.ts';

/** Archives that ADD unpacks: decompressed into a private folder, and listed from there. Disposing deletes them. */
export class ArchiveFolder implements AsyncDisposable {
  readonly #scratch: string;
  readonly #signal: AbortSignal | undefined;
  readonly #open: { readonly path: string; readonly fd: number }[] = [];

  constructor(scratch: string, signal: AbortSignal | undefined) {
    this.#scratch = scratch;
    this.#signal = signal;
  }

  /**
   * What is in the open archive `fd`, parents before children, with paths from its root and owners, modes and hard links
   * as they stand there. Throws `corrupt`, `hostile` and `unsupported` at the word.
   */
  async *read(file: string, word: Word, fd: number, form: CompressionFormat): AsyncGenerator<PlannedEntry> {
    const path = join(this.#scratch, `archive-${process.pid}-${this.#open.length}.tar`);
    let tree: MergedTree;
    let tar: number;
    const { size: archiveBytes } = fstatSync(fd);
    try {
      await decompressArchive({ fd, form, name: 'it' }, path, this.#signal);
      tar = openSync(path, 'r');
      this.#open.push({ path, fd: tar });
      tree = await indexArchive(path, 'it', this.#signal);
      refuseBomb(tree, archiveBytes);
    } catch (error) {
      if (isOcitsError(error, 'aborted', 'disk-full', 'missing-program')) throw error;
      const fault = wrapError(error, 'corrupt', 'it cannot be read');
      const hint = 'with --unpack=false it is copied as a file';
      throw copyError(
        file,
        word,
        fault.code,
        `cannot unpack the archive ${word.text}: ${fault.message}`,
        hint,
      );
    }
    for (const { path: at, entry } of tree.walk()) {
      // A folder that the archive only implies is made as any other on the way.
      if (entry !== undefined) yield planned(at, entry, { tar, scratch: this.#scratch });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { path, fd } of this.#open.splice(0)) {
      closeSync(fd);
      await rm(path, { force: true });
    }
  }
}

/** Holes are zeros in a layer: what is over the limits of a compressed layer is not written out. */
function refuseBomb(tree: MergedTree, archiveBytes: number): void {
  let sizeBytes = 0;
  for (const { entry } of tree.walk()) {
    if (entry?.type === 'file' && entry.sparse !== undefined) sizeBytes += entry.sizeBytes;
  }
  const { ratioFloorBytes, maxRatio } = DEFAULT_LIMITS;
  if (sizeBytes <= Math.max(ratioFloorBytes, maxRatio * archiveBytes)) return;
  throw new OcitsError('hostile', `its sparse files have ${sizeBytes} bytes, and itself ${archiveBytes}`);
}

/** Where an archive's files are read from, and written out where they have holes. */
interface UnpackedArchive {
  readonly tar: number;
  readonly scratch: string;
}

function planned(path: BytePath, entry: LayerEntry, archive: UnpackedArchive): PlannedEntry {
  return {
    ...plannedAttributes(path, entry),
    type: entry.type === 'hardlink' ? 'file' : entry.type,
    ...(entry.type === 'symlink' ? { target: entry.target } : {}),
    ...(entry.type === 'char' || entry.type === 'block' ? { major: entry.major, minor: entry.minor } : {}),
    ...(entry.type === 'file' ? fileOf(entry, archive) : {}),
  };
}

function fileOf(
  entry: FileEntry,
  { tar, scratch }: UnpackedArchive,
): Pick<PlannedEntry, 'sizeBytes' | 'content' | 'linkKey'> {
  const { path, sizeBytes, dataOffset } = entry;
  return {
    sizeBytes,
    content: () => openArchiveFile(tar, entry, scratch),
    linkKey: `${tar}:${dataOffset}:${path}`,
  };
}

/** An archive that is open. */
export interface OpenArchive {
  readonly fd: number;
  readonly form: CompressionFormat;
  /** What errors call it. */
  readonly name: string;
}

/** Writes the archive's plain tar to the new file `path`. Throws `corrupt`, `hostile`, `missing-program`. */
export async function decompressArchive(
  { fd, form, name }: OpenArchive,
  path: string,
  signal?: AbortSignal,
): Promise<void> {
  const options = signal === undefined ? {} : { signal };
  const { size } = fstatSync(fd);
  const source = { path: `/proc/self/fd/${fd}`, compression: form, sizeBytes: size, name };
  const output = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  await pipeline(boundedContent(source, options), output, options);
}

/**
 * Lists a plain tar, which errors call `name`. An entry below a symlink of the archive is listed at the place where the
 * symlink leads. Throws `corrupt`, `hostile`, and `unsupported` for names that mean something else in a layer.
 */
export async function indexArchive(path: string, name: string, signal?: AbortSignal): Promise<MergedTree> {
  const builder = createIndexBuilder();
  const links = new Map<BytePath, LinkEntry>();
  let hasLinks = false;
  const change = (found: LayerChange) => {
    if (found.type === 'whiteout' || found.type === 'opaque') {
      throw new OcitsError(
        'unsupported',
        `${quotePath(found.path)} has a .wh. name in it, which a layer cannot hold`,
      );
    }
    if (found.path === '') return;
    const real = hasLinks ? realPath(found.path, links) : found.path;
    hasLinks ||= found.type === 'symlink';
    links.set(real, { type: found.type, target: found.type === 'symlink' ? found.target : undefined });
    builder.add({ ...found, path: real });
  };
  const source = { path, compression: 'none', sizeBytes: statSync(path).size, name } as const;
  await readLayer(source, { change, data: () => {}, fileEnd: () => {} }, { signal, skipsRoot: true });
  return mergeIndexes([decodeIndex(builder.finish())]);
}

function realPath(path: BytePath, links: ReadonlyMap<BytePath, LinkEntry>): BytePath {
  const folder = path.slice(0, Math.max(path.lastIndexOf('/'), 0));
  // A folder that the archive does not list is one all the same.
  const real = resolvePath((at) => links.get(at) ?? { type: 'directory' }, folder);
  const name = path.slice(path.lastIndexOf('/') + 1);
  return real === '' ? name : `${real}/${name}`;
}
