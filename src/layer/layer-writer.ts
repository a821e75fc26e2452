import { OcitsError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { FileEntry, LayerChange } from './layer-change.ts';

export interface LayerWriterOptions {
  /** Times later than this become this (`SOURCE_DATE_EPOCH`). */
  readonly clampSeconds?: number;
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
 * Writes a layer's tar: canonical, so that the same changes give the same bytes on any machine. The caller adds the
 * changes sorted, parents before children. All calls are synchronous, and writes are batched.
 */
export interface LayerWriter extends Disposable {
  /** Adds anything but a file with content. */
  add(change: ChangeToWrite): void;
  /** Adds a file with all its content. `sizeBytes` must agree. */
  addFile(file: FileToWrite, content: Uint8Array): void;
  /** Adds a file whose content is read from the open descriptor `fd`, from its beginning. Throws `size-mismatch` where the file has become shorter. */
  addFileFrom(file: FileToWrite, fd: number): void;
  /** Ends the archive and closes the file. Not fsynced. */
  finish(): WrittenLayer;
  /** Without `finish`: closes and deletes the file. */
  [Symbol.dispose](): void;
}

/** Makes the file at `path`, which must not exist. */
export function createLayerWriter(_path: string, _options: LayerWriterOptions = {}): LayerWriter {
  throw new OcitsError('unsupported', 'the layer writer is not there yet');
}
