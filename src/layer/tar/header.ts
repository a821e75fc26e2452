/** POSIX.1-1988 ustar, and what GNU and star make of it: where the fields of a header block stand. */
export const BLOCK_BYTES = 512;

/** A header block's fields, as they stand there; a number that cannot be read is NaN, one too big Infinity. */
export interface TarHeader {
  readonly name: string;
  readonly linkName: string;
  /** One character; NUL is there for the oldest tars' plain file. */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly major: number;
  readonly minor: number;
}

const USTAR_MAGIC = 'ustar\x0000';
const GNU_MAGIC = 'ustar  \0';

/** Reads the fields of one block. Its checksum is the caller's to verify. */
export function parseHeader(block: Buffer): TarHeader {
  const magic = block.toString('latin1', 257, 265);
  const name = readText(block, 0, 100);
  return {
    name: magic === USTAR_MAGIC ? withPrefix(block, name) : name,
    linkName: block[157] === 0 ? '' : readText(block, 157, 100),
    type: String.fromCharCode(block[156]!),
    mode: readNumber(block, 100, 8),
    uid: readNumber(block, 108, 8),
    gid: readNumber(block, 116, 8),
    sizeBytes: readNumber(block, 124, 12),
    mtimeSeconds: readNumber(block, 136, 12),
    ...readDevice(block, magic),
  };
}

function withPrefix(block: Buffer, name: string): string {
  if (block[345] === 0) return name;
  // star keeps access and creation times where ustar has the end of the prefix.
  const isStar = block.toString('latin1', 508, 512) === 'tar\0';
  return `${readText(block, 345, isStar ? 131 : 155)}/${name}`;
}

const NO_DEVICE = { major: 0, minor: 0 };

function readDevice(block: Buffer, magic: string): { major: number; minor: number } {
  const type = block[156];
  const isDevice = type === 0x33 || type === 0x34;
  if (!isDevice || (magic !== USTAR_MAGIC && magic !== GNU_MAGIC)) return NO_DEVICE;
  return { major: readNumber(block, 329, 8), minor: readNumber(block, 337, 8) };
}

/** Bytes up to the first NUL or the field's end, as latin1. */
function readText(block: Buffer, start: number, length: number): string {
  let end = start;
  while (end < start + length && block[end] !== 0) end++;
  return block.toString('latin1', start, end);
}

/** An octal number between spaces and NULs (empty is 0), or GNU's base-256 where the first bit is set. */
export function readNumber(block: Buffer, start: number, length: number): number {
  if ((block[start]! & 0x80) !== 0) return readBase256(block, start, length);
  let at = start;
  let end = start + length;
  while (at < end && isPadding(block[at]!)) at++;
  while (end > at && isPadding(block[end - 1]!)) end--;
  let value = 0;
  for (; at < end; at++) {
    const digit = block[at]! - 0x30;
    if (digit < 0 || digit > 7) return Number.NaN;
    value = value * 8 + digit;
  }
  return value;
}

function isPadding(byte: number): boolean {
  return byte === 0x20 || byte === 0;
}

function readBase256(block: Buffer, start: number, length: number): number {
  const isNegative = (block[start]! & 0x40) !== 0;
  // Two's complement: a negative number is read as the complement of its complement.
  const flip = isNegative ? 0xff : 0;
  let value = (block[start]! ^ flip) & 0x3f;
  for (let at = start + 1; at < start + length; at++) value = value * 256 + (block[at]! ^ flip);
  if (!Number.isSafeInteger(value)) return isNegative ? -Infinity : Infinity;
  return isNegative ? -1 - value : value;
}

/** Whether the checksum holds, summed over unsigned bytes or, as some old tars did, over signed ones. */
export function isChecksumRight(block: Buffer): boolean {
  const stored = readNumber(block, 148, 8);
  let sum = 8 * 0x20;
  let high = 0;
  for (let at = 0; at < BLOCK_BYTES; at++) {
    if (at === 148) at = 156;
    const byte = block[at]!;
    sum += byte;
    high += byte >> 7;
  }
  return sum === stored || sum - 256 * high === stored;
}

export function isZeroBlock(block: Buffer): boolean {
  for (let at = 0; at < BLOCK_BYTES; at++) if (block[at] !== 0) return false;
  return true;
}

/** Bytes between the end of data of this size and the next block. */
export function paddingOf(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
}
