/** Makes tars byte by byte, right or wrong, with none of the code under test. Texts are latin1. */

export interface HeaderFields {
  readonly name?: string;
  readonly type?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  readonly mtime?: number;
  readonly linkName?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly prefix?: string;
  readonly magic?: 'ustar' | 'gnu' | 'v7';
  /** Bytes written over the block at their offsets, before the checksum is made. */
  readonly patches?: readonly (readonly [offset: number, text: string])[];
  /** In place of the right one. */
  readonly checksum?: number;
}

const MAGIC = { ustar: 'ustar\x0000', gnu: 'ustar  \0', v7: '' };

/** One header block; numbers that octal digits cannot hold are in base 256. */
export function header(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(512);
  const text = (at: number, value: string) => block.write(value, at, 'latin1');
  text(0, fields.name ?? 'file');
  number(block, 100, 8, fields.mode ?? 0o644);
  number(block, 108, 8, fields.uid ?? 0);
  number(block, 116, 8, fields.gid ?? 0);
  number(block, 124, 12, fields.size ?? 0);
  number(block, 136, 12, fields.mtime ?? 1_700_000_000);
  text(156, fields.type ?? '0');
  text(157, fields.linkName ?? '');
  text(257, MAGIC[fields.magic ?? 'ustar']);
  if (fields.major !== undefined) number(block, 329, 8, fields.major);
  if (fields.minor !== undefined) number(block, 337, 8, fields.minor);
  text(345, fields.prefix ?? '');
  for (const [at, value] of fields.patches ?? []) text(at, value);
  block.fill(0x20, 148, 156);
  const sum = fields.checksum ?? block.reduce((total, byte) => total + byte, 0);
  text(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}

function number(block: Buffer, at: number, length: number, value: number): void {
  const octal = value.toString(8);
  if (value >= 0 && octal.length < length) {
    block.write(`${octal.padStart(length - 1, '0')}\0`, at, 'latin1');
    return;
  }
  let rest = BigInt(value);
  for (let i = at + length - 1; i >= at; i--) {
    block[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  block[at]! |= 0x80;
}

/** `content` filled up to whole blocks. */
export function blocks(content: Buffer | string): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** An entry with its content; the header's size is the content's unless given. */
export function entry(fields: HeaderFields, content: Buffer | string = ''): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  return Buffer.concat([header({ size: bytes.length, ...fields }), blocks(bytes)]);
}

export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length;
  return `${length}${rest}`;
}

/** A pax extended header with these records, or with raw content. */
export function pax(records: Readonly<Record<string, string>> | string, type: 'x' | 'g' = 'x'): Buffer {
  const content =
    typeof records === 'string'
      ? records
      : Object.entries(records)
          .map(([key, value]) => paxRecord(key, value))
          .join('');
  return entry({ name: 'PaxHeaders.0/x', type }, content);
}

/** GNU's long name (`L`) or long link (`K`). */
export function gnuLong(type: 'L' | 'K', value: string): Buffer {
  return entry({ name: '././@LongLink', type, magic: 'gnu' }, `${value}\0`);
}

/** The parts, and the two zero blocks that end an archive. */
export function tar(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}
