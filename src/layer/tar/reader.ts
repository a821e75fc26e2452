import { OcitsError } from '../../errors.ts';
import { corruptEntry, hostileEntry, showPath } from '../byte-path.ts';
import { DEFAULT_LIMITS, type LayerLimits, MAX_LONG_NAME_BYTES, MAX_PAX_BYTES } from '../layer-limits.ts';
import type { LayerVisitor } from '../layer-visitor.ts';
import { type TarEntry, toChange } from './entry.ts';
import { FileData } from './file-data.ts';
import {
  BLOCK_BYTES,
  isChecksumRight,
  isZeroBlock,
  paddingOf,
  parseHeader,
  type TarHeader,
} from './header.ts';
import { describeEntry, isPreludeType, type Prelude, readPrelude } from './prelude.ts';
import { type SparseGathering, startSparse } from './sparse-entry.ts';

export interface TarReaderOptions {
  readonly limits?: Partial<LayerLimits> | undefined;
  readonly onWarning?: ((text: string) => void) | undefined;
  /** What is no folder and stands for the root means nothing, as in an archive; in a layer it is hostile. */
  readonly skipsRoot?: boolean | undefined;
}

const EMPTY = Buffer.alloc(0);

/**
 * Reads a tar as it arrives, in chunks of any size, and calls the visitor. Nothing is asynchronous, nothing is
 * copied but what a chunk's border cuts. ustar, v7, GNU and pax as Go's archive/tar, and so Docker, reads them.
 *
 * `push` and `end` throw `corrupt` where the archive breaks the format, `hostile` where it asks for what is never
 * done, and what the visitor throws; the reader is of no use afterwards.
 */
export class TarReader {
  /** Entries so far, markers and skipped ones included. */
  entries = 0;
  readonly #visitor: LayerVisitor;
  readonly #limits: LayerLimits;
  readonly #warn: (text: string) => void;
  readonly #skipsRoot: boolean;
  #state: 'block' | 'content' | 'data' | 'skip' | 'ended' = 'block';
  /** Bytes of the archive that have been taken. */
  #offset = 0;
  /** Room for a block, or a header's content, that a chunk's border cuts, and how much of it is there. */
  #partial: Buffer = EMPTY;
  #partialBytes = 0;
  #wantedBytes = BLOCK_BYTES;
  #contentOf: TarHeader | undefined;
  #prelude: Prelude = {};
  #sparse: SparseGathering | undefined;
  #data: FileData | undefined;
  #skipBytes = 0;
  /** What is skipped is only padding: an archive may end there. */
  #isPadding = false;
  #zeroBlocks = 0;
  #name = '';

  constructor(visitor: LayerVisitor, options: TarReaderOptions = {}) {
    this.#visitor = visitor;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#warn = options.onWarning ?? (() => {});
    this.#skipsRoot = options.skipsRoot ?? false;
  }

  /** Takes the next bytes. They may be overwritten once this returns. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'data') at = this.#takeData(chunk, at);
      else if (this.#state === 'skip') at = this.#takeSkipped(chunk, at);
      else if (this.#state === 'ended') at = chunk.length;
      else at = this.#takeWhole(chunk, at);
    }
  }

  /** Says that no more bytes follow. An archive without its end blocks is whole, as Docker has it. */
  end(): void {
    if (this.#state === 'ended' || (this.#state === 'skip' && this.#isPadding)) return;
    const isBetween = this.#state === 'block' && this.#partialBytes === 0 && this.#sparse === undefined;
    if (!isBetween) {
      const where = this.#name === '' ? 'before its first entry' : `in or after ${showPath(this.#name)}`;
      throw new OcitsError('corrupt', `the layer is cut off at byte ${this.#offset}, ${where}`);
    }
    this.#refuseLonePrelude();
  }

  #refuseLonePrelude(): void {
    if (Object.keys(this.#prelude).length === 0) return;
    throw new OcitsError(
      'corrupt',
      `the layer ends at byte ${this.#offset} after a header without its entry`,
    );
  }

  /** Gathers a block or a header's content, and acts on it once it is whole. */
  #takeWhole(chunk: Buffer, at: number): number {
    const wanted = this.#wantedBytes;
    if (this.#partialBytes === 0 && chunk.length - at >= wanted) {
      this.#offset += wanted;
      this.#act(chunk.subarray(at, at + wanted));
      return at + wanted;
    }
    if (this.#partial.length !== wanted) this.#partial = Buffer.allocUnsafe(wanted);
    const copied = chunk.copy(this.#partial, this.#partialBytes, at);
    this.#partialBytes += copied;
    this.#offset += copied;
    if (this.#partialBytes === wanted) {
      this.#partialBytes = 0;
      this.#act(this.#partial);
    }
    return at + copied;
  }

  #act(whole: Buffer): void {
    if (this.#state === 'content') this.#takeContent(whole);
    else if (this.#sparse !== undefined) this.#takeMapBlock(whole, this.#sparse);
    else this.#takeHeader(whole);
  }

  #takeHeader(block: Buffer): void {
    if (block[0] === 0 && isZeroBlock(block)) {
      this.#takeZeroBlock();
      return;
    }
    if (this.#zeroBlocks > 0 || !isChecksumRight(block)) {
      const where = this.#name === '' ? '' : `, after ${showPath(this.#name)}`;
      throw new OcitsError(
        'corrupt',
        `the layer has no valid tar header at byte ${this.#offset - BLOCK_BYTES}${where}`,
      );
    }
    const header = parseHeader(block);
    if (isPreludeType(header.type)) this.#startContent(header);
    else this.#startEntry(header, block);
  }

  #takeZeroBlock(): void {
    this.#refuseLonePrelude();
    this.#zeroBlocks++;
    if (this.#zeroBlocks === 2) this.#state = 'ended';
  }

  #startContent(header: TarHeader): void {
    const { name, type, sizeBytes } = header;
    const limit = type === 'L' || type === 'K' ? MAX_LONG_NAME_BYTES : MAX_PAX_BYTES;
    if (Number.isNaN(sizeBytes)) throw corruptEntry(name, 'has a size that is no number');
    if (sizeBytes < 0 || sizeBytes > limit) {
      throw hostileEntry(name, `is a "${type}" header of ${sizeBytes} bytes; ${limit} is the most`);
    }
    this.#contentOf = header;
    this.#state = 'content';
    this.#wantedBytes = sizeBytes;
    if (sizeBytes === 0) this.#takeContent(EMPTY);
  }

  #takeContent(content: Buffer): void {
    const header = this.#contentOf!;
    readPrelude(this.#prelude, header, content, this.#warn);
    this.#partial = EMPTY;
    this.#wantedBytes = BLOCK_BYTES;
    this.#skip(paddingOf(header.sizeBytes), false);
  }

  #startEntry(header: TarHeader, block: Buffer): void {
    const prelude = this.#prelude;
    this.#prelude = {};
    const entry = describeEntry(header, prelude, this.#offset);
    this.#name = entry.name;
    this.entries++;
    if (this.entries > this.#limits.maxEntries) {
      throw hostileEntry(entry.name, `is beyond the ${this.#limits.maxEntries} entries a layer may have`);
    }
    if (entry.storedBytes > this.#limits.maxBytes) {
      throw hostileEntry(entry.name, `has the size ${entry.storedBytes}`);
    }
    const sparse = startSparse(entry, block, prelude, this.#limits);
    if (sparse === undefined) this.#emit(entry);
    else if ('push' in sparse) this.#sparse = sparse;
    else this.#emit(sparse);
  }

  #takeMapBlock(block: Buffer, sparse: SparseGathering): void {
    const entry = sparse.push(block);
    if (entry === undefined) return;
    this.#sparse = undefined;
    this.#emit(entry);
  }

  #emit(entry: TarEntry): void {
    this.#name = entry.name;
    const change = toChange(entry, this.#skipsRoot);
    if (change !== undefined) this.#visitor.change(change);
    if (change?.type !== 'file') {
      this.#skip(entry.storedBytes + paddingOf(entry.storedBytes), false);
      return;
    }
    this.#data = new FileData(change, this.#visitor);
    this.#state = 'data';
    if (this.#data.isDone) this.#endFile(this.#data);
  }

  #takeData(chunk: Buffer, at: number): number {
    const data = this.#data!;
    const end = data.take(chunk, at);
    this.#offset += end - at;
    if (data.isDone) this.#endFile(data);
    return end;
  }

  #endFile({ file }: FileData): void {
    this.#data = undefined;
    this.#visitor.fileEnd(file);
    this.#skip(paddingOf(file.storedBytes), true);
  }

  #skip(bytes: number, isPadding: boolean): void {
    this.#skipBytes = bytes;
    this.#isPadding = isPadding;
    this.#state = bytes === 0 ? 'block' : 'skip';
  }

  #takeSkipped(chunk: Buffer, at: number): number {
    const skipped = Math.min(this.#skipBytes, chunk.length - at);
    this.#skipBytes -= skipped;
    this.#offset += skipped;
    if (this.#skipBytes === 0) this.#state = 'block';
    return at + skipped;
  }
}
