import { crc32 } from 'node:zlib';
import { OcitsError } from '../../errors.ts';
import type { LayerChange } from '../layer-change.ts';

/**
 * The form of an index file: a head, then columns of numbers with one place a change, then all paths, then what only
 * some changes have. Numbers are little-endian; a machine of the other kind takes the file for damaged.
 */
export const TYPES: readonly LayerChange['type'][] = [
  'file',
  'directory',
  'symlink',
  'hardlink',
  'char',
  'block',
  'fifo',
  'whiteout',
  'opaque',
];

/** Columns from the widest to the narrowest, so that each begins where its numbers may. */
export interface IndexColumns {
  readonly sizeBytes: Float64Array;
  readonly dataOffset: Float64Array;
  readonly seconds: Float64Array;
  readonly nanoseconds: Uint32Array;
  readonly uid: Uint32Array;
  readonly gid: Uint32Array;
  /** Where the path ends among all paths; it begins where the one before ends. */
  readonly pathEnd: Uint32Array;
  /** The same, for what only some changes have. */
  readonly extraEnd: Uint32Array;
  readonly mode: Uint16Array;
  readonly type: Uint8Array;
}

export interface IndexParts {
  readonly columns: IndexColumns;
  /** All paths one after another. */
  readonly paths: string;
  readonly extras: string;
}

/** What only some changes have, as JSON of latin1 texts. */
export interface IndexExtra {
  readonly target?: string | undefined;
  readonly device?: readonly [major: number, minor: number] | undefined;
  readonly xattrs?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly sparse?: readonly (readonly [offset: number, length: number])[] | undefined;
  readonly storedBytes?: number | undefined;
}

const MAGIC = 0x5849434f;
const VERSION = 1;
/** Magic, version, checksum of what follows the head, count, bytes of paths, bytes of extras. */
const HEAD_BYTES = 24;
const COLUMNS: readonly (readonly [keyof IndexColumns, 'f64' | 'u32' | 'u16' | 'u8'])[] = [
  ['sizeBytes', 'f64'],
  ['dataOffset', 'f64'],
  ['seconds', 'f64'],
  ['nanoseconds', 'u32'],
  ['uid', 'u32'],
  ['gid', 'u32'],
  ['pathEnd', 'u32'],
  ['extraEnd', 'u32'],
  ['mode', 'u16'],
  ['type', 'u8'],
];
const WIDTHS = { f64: 8, u32: 4, u16: 2, u8: 1 };
const ENTRY_BYTES = COLUMNS.reduce((total, [, kind]) => total + WIDTHS[kind], 0);

/** Room for an index with `count` changes; its columns are to be filled, and then `sealIndex` called. */
export function createIndexFile(
  count: number,
  paths: string,
  extras: string,
): { bytes: Buffer; columns: IndexColumns } {
  const bytes = Buffer.alloc(HEAD_BYTES + count * ENTRY_BYTES + paths.length + extras.length);
  new Uint32Array(bytes.buffer, bytes.byteOffset, 6).set([
    MAGIC,
    VERSION,
    0,
    count,
    paths.length,
    extras.length,
  ]);
  bytes.write(paths, HEAD_BYTES + count * ENTRY_BYTES, 'latin1');
  bytes.write(extras, bytes.length - extras.length, 'latin1');
  return { bytes, columns: columnsOf(bytes, count) };
}

/** Writes the checksum, once everything is in its place. */
export function sealIndex(bytes: Buffer): void {
  new Uint32Array(bytes.buffer, bytes.byteOffset, 6)[2] = crc32(bytes.subarray(HEAD_BYTES));
}

/** Throws `corrupt` where the bytes are damaged, or of another version or byte order. */
export function openIndexFile(file: Buffer): IndexParts {
  const bytes = file.byteOffset % 8 === 0 ? file : Buffer.from(new Uint8Array(file).buffer);
  if (bytes.length < HEAD_BYTES) throw damaged();
  const head = new Uint32Array(bytes.buffer, bytes.byteOffset, 6);
  const [magic, version, checksum, count, pathBytes, extraBytes] = head as unknown as readonly [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const pathStart = HEAD_BYTES + count * ENTRY_BYTES;
  if (magic !== MAGIC || version !== VERSION || pathStart + pathBytes + extraBytes !== bytes.length)
    throw damaged();
  if (crc32(bytes.subarray(HEAD_BYTES)) !== checksum) throw damaged();
  return {
    columns: columnsOf(bytes, count),
    paths: bytes.toString('latin1', pathStart, pathStart + pathBytes),
    extras: bytes.toString('latin1', pathStart + pathBytes),
  };
}

function columnsOf(bytes: Buffer, count: number): IndexColumns {
  const types = { f64: Float64Array, u32: Uint32Array, u16: Uint16Array, u8: Uint8Array };
  let at = bytes.byteOffset + HEAD_BYTES;
  const columns = COLUMNS.map(([name, kind]) => {
    const column = new types[kind](bytes.buffer as ArrayBuffer, at, count);
    at += count * WIDTHS[kind];
    return [name, column];
  });
  return Object.fromEntries(columns) as IndexColumns;
}

function damaged(): OcitsError {
  return new OcitsError('corrupt', 'a layer index is damaged or of another version');
}
