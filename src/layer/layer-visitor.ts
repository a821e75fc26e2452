import type { FileEntry, LayerChange } from './layer-change.ts';

/**
 * What the layer reader calls while it reads, in the order of the tar, always synchronously. An exception thrown by
 * any of these ends the reading and reaches the reader's caller as it is.
 *
 * A file entry is followed by its `data` calls and then by one `fileEnd`, also where the file is empty. Duplicates are
 * passed on in order. Paths are clean; whether a parent is a symlink or a link's target exists is the visitor's affair.
 */
export interface LayerVisitor {
  change(change: LayerChange): void;
  /**
   * Some stored bytes of the last file entry, to be written at `position` of the file. Positions only grow; what lies
   * between the end of one call and the next position is a hole, as is what lies between the last one and
   * `sizeBytes`. The chunk is a view into the reader's buffer: it is valid during the call only.
   */
  data(chunk: Buffer, position: number): void;
  /** All data of `file` has been passed on. */
  fileEnd(file: FileEntry): void;
}
