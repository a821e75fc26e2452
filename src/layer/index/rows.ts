import type { BytePath, EntryMetadata, LayerChange } from '../layer-change.ts';
import { type IndexColumns, type IndexExtra, type IndexParts, TYPES } from './format.ts';

/** What an index keeps of a change: the builder must not hold on to what its caller may change or drop. */
export interface IndexRow {
  readonly type: number;
  readonly path: string;
  readonly extra: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly sizeBytes: number;
  readonly dataOffset: number;
}

const MARKER = { mode: 0, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 } };

/** Takes what an index keeps of `change`. */
export function toRow(change: LayerChange): IndexRow {
  const isMarker = change.type === 'whiteout' || change.type === 'opaque';
  const { mode, uid, gid, mtime }: Omit<EntryMetadata, 'path'> = isMarker ? MARKER : change;
  return {
    type: TYPES.indexOf(change.type),
    path: change.path,
    extra: extraOf(change),
    mode,
    uid,
    gid,
    seconds: mtime.seconds,
    nanoseconds: mtime.nanoseconds,
    sizeBytes: change.type === 'file' ? change.sizeBytes : 0,
    dataOffset: change.type === 'file' ? change.dataOffset : 0,
  };
}

function extraOf(change: LayerChange): string {
  const extra: { -readonly [Key in keyof IndexExtra]: IndexExtra[Key] } = {};
  if (change.type === 'symlink' || change.type === 'hardlink') extra.target = change.target;
  if (change.type === 'char' || change.type === 'block') extra.device = [change.major, change.minor];
  if (change.type === 'file' && change.sparse !== undefined) {
    extra.sparse = change.sparse.map(({ offset, length }) => [offset, length]);
    extra.storedBytes = change.storedBytes;
  }
  if ('xattrs' in change && change.xattrs !== undefined) {
    extra.xattrs = [...change.xattrs].map(([name, value]) => [name, value.toString('latin1')]);
  }
  for (const _key in extra) return JSON.stringify(extra);
  return '';
}

/** Puts the rows into columns that have room for them. */
export function fillColumns(columns: IndexColumns, rows: readonly IndexRow[]): void {
  let pathEnd = 0;
  let extraEnd = 0;
  for (const [i, row] of rows.entries()) {
    pathEnd += row.path.length;
    extraEnd += row.extra.length;
    columns.pathEnd[i] = pathEnd;
    columns.extraEnd[i] = extraEnd;
    columns.type[i] = row.type;
    columns.mode[i] = row.mode;
    columns.uid[i] = row.uid;
    columns.gid[i] = row.gid;
    columns.seconds[i] = row.seconds;
    columns.nanoseconds[i] = row.nanoseconds;
    columns.sizeBytes[i] = row.sizeBytes;
    columns.dataOffset[i] = row.dataOffset;
  }
}

/** The path of the change at `i`. */
export function pathAt({ columns: { pathEnd }, paths }: IndexParts, i: number): BytePath {
  return paths.slice(i === 0 ? 0 : pathEnd[i - 1], pathEnd[i]);
}

/** The change at `i`, as it was added. */
export function changeAt(parts: IndexParts, i: number): LayerChange {
  const { columns, extras } = parts;
  const type = TYPES[columns.type[i]!]!;
  const path = pathAt(parts, i);
  if (type === 'whiteout' || type === 'opaque') return { type, path };
  const json = extras.slice(i === 0 ? 0 : columns.extraEnd[i - 1], columns.extraEnd[i]);
  const extra: IndexExtra = json === '' ? {} : JSON.parse(json);
  const common: EntryMetadata = {
    path,
    mode: columns.mode[i]!,
    uid: columns.uid[i]!,
    gid: columns.gid[i]!,
    mtime: { seconds: columns.seconds[i]!, nanoseconds: columns.nanoseconds[i]! },
    xattrs: extra.xattrs && xattrsOf(extra.xattrs),
  };
  if (type === 'symlink' || type === 'hardlink') return { type, ...common, target: extra.target! };
  if (type === 'char' || type === 'block') {
    return { type, ...common, major: extra.device![0], minor: extra.device![1] };
  }
  if (type !== 'file') return { type, ...common };
  const sizeBytes = columns.sizeBytes[i]!;
  return {
    type,
    ...common,
    sizeBytes,
    dataOffset: columns.dataOffset[i]!,
    storedBytes: extra.storedBytes ?? sizeBytes,
    ...(extra.sparse === undefined
      ? {}
      : { sparse: extra.sparse.map(([offset, length]) => ({ offset, length })) }),
  };
}

function xattrsOf(pairs: NonNullable<IndexExtra['xattrs']>): Map<string, Buffer> {
  return new Map(pairs.map(([name, value]) => [name, Buffer.from(value, 'latin1')]));
}
