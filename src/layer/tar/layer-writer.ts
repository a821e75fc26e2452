import { OcitsError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { TYPE_FLAGS } from '../../system/file/node-archive.ts';
import { joinPath, showPath } from '../byte-path.ts';
import { createIndexBuilder, type LayerIndexBuilder } from '../index/layer-index.ts';
import type { FileEntry, LayerChange, Time } from '../layer-change.ts';
import { OutputFile } from '../output-file.ts';
import { BLOCK_BYTES, paddingOf } from './header.ts';
import { type HeaderToWrite, paxRecordsFor, writeHeader } from './write-header.ts';

export interface LayerWriterOptions {
  /** Times later than this become this (`SOURCE_DATE_EPOCH`). */
  readonly clampSeconds?: number | undefined;
}

export interface WrittenLayer {
  readonly diffId: Digest;
  readonly sizeBytes: number;
  readonly entries: number;
  /** For `IndexStore.put`. */
  readonly index: Buffer;
}

/** A file entry to be written: where its data will lie in the tar is the writer's affair. */
export type FileToWrite = Omit<FileEntry, 'dataOffset' | 'storedBytes' | 'sparse'>;

export type ChangeToWrite = Exclude<LayerChange, FileEntry> | FileToWrite;

/**
 * Writes a layer's tar: canonical, so that the same changes give the same bytes on any machine. ustar wherever that
 * is enough; pax for long or binary names, big numbers, fractions of a second and xattrs, each of which costs a KiB an
 * entry. Owners are numbers, holes are written as zeros, markers have mode 0 and the time 0.
 *
 * The caller adds the changes sorted, parents before children. All calls are synchronous, and writes are batched.
 */
export interface LayerWriter extends Disposable {
  /** Adds anything but a file with content. Throws `invalid-argument` for that. */
  add(change: ChangeToWrite): void;
  /** Adds a file with all its content. Throws `size-mismatch` where `sizeBytes` does not agree. */
  addFile(file: FileToWrite, content: Uint8Array): void;
  /**
   * Adds a file whose content is read from the open regular file `fd`, from byte `start` (0) on. Throws `size-mismatch`
   * where there is less than `sizeBytes`.
   */
  addFileFrom(file: FileToWrite, fd: number, start?: number): void;
  /** Ends the archive and closes the file. Not fsynced. */
  finish(): WrittenLayer;
  /** Without `finish`: closes and deletes the file. */
  [Symbol.dispose](): void;
}

/** Makes the file at `path`, which must not exist. */
export function createLayerWriter(path: string, options: LayerWriterOptions = {}): LayerWriter {
  const output = new OutputFile(path);
  const index = createIndexBuilder();
  const start = (change: ChangeToWrite) => writeEntry(output, index, clamp(change, options.clampSeconds));
  return {
    add(change) {
      if (change.type === 'file' && change.sizeBytes !== 0) {
        throw new OcitsError('invalid-argument', `${showPath(change.path)} was added without its content`);
      }
      start(change);
    },
    addFile(file, content) {
      if (content.length !== file.sizeBytes) throw sizeMismatch(file, content.length);
      start(file);
      output.write(content);
      output.writeZeros(paddingOf(content.length));
    },
    addFileFrom(file, fd, from = 0) {
      start(file);
      const found = output.writeFrom(fd, from, file.sizeBytes);
      if (found !== file.sizeBytes) throw sizeMismatch(file, found);
      output.writeZeros(paddingOf(file.sizeBytes));
    },
    finish() {
      output.writeZeros(2 * BLOCK_BYTES);
      const { sizeBytes } = output;
      return { diffId: output.finish(), sizeBytes, entries: index.count, index: index.finish() };
    },
    [Symbol.dispose]: () => output[Symbol.dispose](),
  };
}

function sizeMismatch(file: FileToWrite, found: number): OcitsError {
  const { path, sizeBytes } = file;
  return new OcitsError('size-mismatch', `${showPath(path)} has ${found} bytes, not ${sizeBytes}`, {
    hint: 'the file was changed while it was read; try again',
  });
}

function clamp<C extends ChangeToWrite>(change: C, seconds: number | undefined): C {
  if (seconds === undefined || !('mtime' in change) || !isLater(change.mtime, seconds)) return change;
  return { ...change, mtime: { seconds, nanoseconds: 0 } };
}

function isLater({ seconds, nanoseconds }: Time, limit: number): boolean {
  return seconds > limit || (seconds === limit && nanoseconds > 0);
}

/** Writes the headers of a change, and puts it into the index. */
function writeEntry(output: OutputFile, index: LayerIndexBuilder, change: ChangeToWrite): void {
  const header = headerOf(change);
  const records = paxRecordsFor(header);
  if (records !== '') writePax(output, records);
  const { buffer, at } = output.reserve(BLOCK_BYTES);
  writeHeader(buffer, at, header);
  if (change.type !== 'file') index.add(change);
  else index.add({ ...change, dataOffset: output.sizeBytes, storedBytes: change.sizeBytes });
}

const NO_FIELDS = { mode: 0, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 }, xattrs: undefined };
const NO_LINK = { linkName: '', major: 0, minor: 0, sizeBytes: 0 };
const PAX_HEADER: HeaderToWrite = {
  ...NO_FIELDS,
  ...NO_LINK,
  name: 'PaxHeaders.0/entry',
  type: 'x',
  mode: 0o644,
};

function writePax(output: OutputFile, records: string): void {
  const { buffer, at } = output.reserve(BLOCK_BYTES);
  writeHeader(buffer, at, { ...PAX_HEADER, sizeBytes: records.length });
  output.write(Buffer.from(records, 'latin1'));
  output.writeZeros(paddingOf(records.length));
}

function headerOf(change: ChangeToWrite): HeaderToWrite {
  if (change.type === 'whiteout' || change.type === 'opaque') {
    return { ...NO_FIELDS, ...NO_LINK, type: '0', name: markerName(change) };
  }
  const { path, mode, uid, gid, mtime, xattrs } = change;
  return {
    ...NO_LINK,
    name: change.type === 'directory' ? `${path === '' ? '.' : path}/` : path,
    type: TYPE_FLAGS[change.type],
    mode,
    uid,
    gid,
    mtime,
    xattrs,
    ...(change.type === 'file' ? { sizeBytes: change.sizeBytes } : {}),
    ...(change.type === 'symlink' || change.type === 'hardlink' ? { linkName: change.target } : {}),
    ...(change.type === 'char' || change.type === 'block'
      ? { major: change.major, minor: change.minor }
      : {}),
  };
}

/** image-spec layer.md#whiteouts */
function markerName({ type, path }: { readonly type: 'whiteout' | 'opaque'; readonly path: string }): string {
  if (type === 'opaque') return joinPath(path, '.wh..wh..opq');
  const slash = path.lastIndexOf('/') + 1;
  return `${path.slice(0, slash)}.wh.${path.slice(slash)}`;
}
