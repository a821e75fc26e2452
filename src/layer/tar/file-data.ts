import type { DataRun, FileEntry } from '../layer-change.ts';
import type { LayerVisitor } from '../layer-visitor.ts';

/** Hands a file's stored bytes to the visitor, run by run. */
export class FileData {
  readonly #file: FileEntry;
  readonly #visitor: LayerVisitor;
  #next = 0;
  #position = 0;
  #remainingBytes = 0;

  constructor(file: FileEntry, visitor: LayerVisitor) {
    this.#file = file;
    this.#visitor = visitor;
    this.#nextRun();
  }

  get file(): FileEntry {
    return this.#file;
  }

  /** All bytes have been handed on. */
  get isDone(): boolean {
    return this.#remainingBytes === 0;
  }

  /** Takes bytes of `chunk` from `at` on, as many as the run has; gives where it stopped. */
  take(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#remainingBytes);
    this.#visitor.data(chunk.subarray(at, end), this.#position);
    this.#position += end - at;
    this.#remainingBytes -= end - at;
    if (this.#remainingBytes === 0) this.#nextRun();
    return end;
  }

  #nextRun(): void {
    const { sparse, storedBytes } = this.#file;
    const whole: DataRun | undefined = this.#next === 0 ? { offset: 0, length: storedBytes } : undefined;
    const run = sparse === undefined ? whole : sparse[this.#next];
    this.#next++;
    if (run === undefined) return;
    this.#position = run.offset;
    this.#remainingBytes = run.length;
  }
}
