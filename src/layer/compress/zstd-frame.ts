const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
/** Magic and descriptor, or a skippable frame's magic and size. */
const MAGIC_BYTES = 4;
const DESCRIPTOR_BYTES = 1;
const SIZE_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;

/** Finds where a zstd frame ends, from its headers alone (RFC 8878 3.1): bytes come in as they arrive. */
export class ZstdFrame {
  kind: 'unknown' | 'data' | 'skippable' | 'none' = 'unknown';
  isDone = false;
  #state: 'magic' | 'descriptor' | 'size' | 'block' | 'end' = 'magic';
  /** The header that is being gathered, as a little-endian number. */
  #value = 0;
  #got = 0;
  #wanted = MAGIC_BYTES;
  #skipBytes = 0;
  #hasChecksum = false;

  /** Gives how many of the bytes belong to the frame; `kind` is `none` where it is no frame at all. */
  take(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && !this.isDone && this.kind !== 'none') {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, bytes.length - at);
        this.#skipBytes -= skipped;
        at += skipped;
      } else {
        this.#value += bytes[at]! * 256 ** this.#got;
        this.#got++;
        at++;
        if (this.#got === this.#wanted) this.#takeHeader(this.#value);
      }
      if (this.#state === 'end' && this.#skipBytes === 0) this.isDone = true;
    }
    return at;
  }

  #takeHeader(value: number): void {
    if (this.#state === 'magic') this.#takeMagic(value);
    else if (this.#state === 'size') this.#expect('end', 0, value);
    else if (this.#state === 'descriptor') {
      this.#hasChecksum = (value & 4) !== 0;
      this.#expect('block', BLOCK_HEADER_BYTES, fieldBytes(value));
    } else {
      const isLast = (value & 1) === 1;
      const isRepeated = ((value >> 1) & 3) === 1;
      const content = isRepeated ? 1 : value >> 3;
      if (isLast) this.#expect('end', 0, content + (this.#hasChecksum ? CHECKSUM_BYTES : 0));
      else this.#expect('block', BLOCK_HEADER_BYTES, content);
    }
  }

  #takeMagic(magic: number): void {
    if (magic === FRAME_MAGIC) {
      this.kind = 'data';
      this.#expect('descriptor', DESCRIPTOR_BYTES, 0);
    } else if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      this.kind = 'skippable';
      this.#expect('size', SIZE_BYTES, 0);
    } else this.kind = 'none';
  }

  /** The next header comes after `skipBytes`. */
  #expect(state: 'descriptor' | 'size' | 'block' | 'end', wanted: number, skipBytes: number): void {
    this.#state = state;
    this.#wanted = wanted;
    this.#skipBytes = skipBytes;
    this.#value = 0;
    this.#got = 0;
  }
}

/** How many bytes the rest of a frame header has. */
function fieldBytes(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 3]!;
  return (isSingleSegment ? 0 : 1) + dictionaryIdBytes + contentSizeBytes;
}
