import { OcitsError } from '../../errors.ts';
import {
  baseName,
  checkLengths,
  cleanMarkerPath,
  cleanPath,
  corruptEntry,
  hostileEntry,
  joinPath,
  parentPath,
} from '../byte-path.ts';
import type { DataRun, EntryMetadata, LayerChange, Time } from '../layer-change.ts';
import { MAX_PATH_BYTES } from '../layer-limits.ts';
import type { TarHeader } from './header.ts';

/** A header with all that pax and GNU headers before it say, its numbers checked. */
export interface TarEntry {
  readonly header: TarHeader;
  readonly name: string;
  readonly linkName: string;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Time;
  readonly xattrs: ReadonlyMap<string, Buffer> | undefined;
  /** For a plain file: its size, and its stored bytes. */
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly dataOffset: number;
  readonly sparse: readonly DataRun[] | undefined;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const AUFS = '.wh..wh.';
const MAX_DEVICE = { major: 0xfff, minor: 0xfffff };

/** Types whose entries never have data, whatever their size field says (as Go's reader and GNU tar have it). */
export function hasData(type: string): boolean {
  return type === '0' || type === '\0' || type === '7' || type === 'S';
}

/**
 * The change that an entry means; undefined where it means none: aufs's own files, and with `skipsRoot` whatever would
 * replace the root. Throws `hostile`, `corrupt`, and `unsupported` for an unknown type.
 */
export function toChange(entry: TarEntry, skipsRoot = false): LayerChange | undefined {
  const path = cleanMarkerPath(entry.name);
  if (path.includes(WHITEOUT)) {
    const marker = readMarker(path);
    if (marker !== undefined && marker !== 'plain') checkLengths(entry.name, marker.path);
    if (marker !== 'plain') return marker;
  }
  checkLengths(entry.name, path);
  if (path === '' && entry.header.type !== '5' && !isOldFolder(entry)) {
    if (skipsRoot) return undefined;
    throw hostileEntry(entry.name, 'would replace the root folder');
  }
  return ofType(entry, {
    path,
    mode: entry.header.mode & 0o7777,
    uid: entry.uid,
    gid: entry.gid,
    mtime: entry.mtime,
    xattrs: entry.xattrs,
  });
}

/** image-spec layer.md#whiteouts. `.wh.` is reserved in names: it is a marker, one of aufs's files, or an attack. */
function readMarker(path: string): LayerChange | undefined | 'plain' {
  const folder = parentPath(path);
  for (const part of folder.split('/')) {
    if (part.startsWith(AUFS)) return undefined;
    if (part.startsWith(WHITEOUT)) throw hostileEntry(path, 'lies in a folder that is named like a whiteout');
  }
  const name = baseName(path);
  if (!name.startsWith(WHITEOUT)) return 'plain';
  if (name === OPAQUE) return { type: 'opaque', path: folder };
  if (name.startsWith(AUFS)) return undefined;
  const hidden = name.slice(WHITEOUT.length);
  if (hidden === '' || hidden === '.' || hidden === '..') {
    throw hostileEntry(path, 'is a whiteout that names nothing');
  }
  return { type: 'whiteout', path: joinPath(folder, hidden) };
}

/** The oldest tars mark a folder by a slash at the end of its name. */
function isOldFolder(entry: TarEntry): boolean {
  return entry.header.type === '\0' && entry.name.endsWith('/');
}

function ofType(entry: TarEntry, common: EntryMetadata): LayerChange {
  const { type } = entry.header;
  switch (type) {
    case '\0':
      if (isOldFolder(entry)) return { type: 'directory', ...common };
      return plainFile(entry, common);
    case '0':
    case '7':
    case 'S':
      return plainFile(entry, common);
    case '1':
      return { type: 'hardlink', ...common, target: linkTarget(entry) };
    case '2':
      return { type: 'symlink', ...common, target: symlinkTarget(entry) };
    case '3':
      return { type: 'char', ...common, ...device(entry) };
    case '4':
      return { type: 'block', ...common, ...device(entry) };
    case '5':
      return { type: 'directory', ...common };
    case '6':
      return { type: 'fifo', ...common };
    default:
      throw new OcitsError(
        'unsupported',
        corruptEntry(entry.name, `has the type ${JSON.stringify(type)}`).message,
      );
  }
}

function plainFile(entry: TarEntry, common: EntryMetadata): LayerChange {
  const { sizeBytes, dataOffset, storedBytes, sparse } = entry;
  return {
    type: 'file',
    ...common,
    sizeBytes,
    dataOffset,
    storedBytes,
    sparse,
  };
}

function linkTarget(entry: TarEntry): string {
  const target = cleanPath(entry.linkName);
  if (target === '') throw hostileEntry(entry.name, 'is a hard link to the root folder');
  return target;
}

function symlinkTarget(entry: TarEntry): string {
  const { linkName, name } = entry;
  if (linkName === '') throw corruptEntry(name, 'is a symlink to nothing');
  if (linkName.length >= MAX_PATH_BYTES) throw hostileEntry(name, 'is a symlink to more than 4,095 bytes');
  if (linkName.includes('\0')) throw hostileEntry(name, 'is a symlink with a NUL in its target');
  return linkName;
}

function device(entry: TarEntry): { major: number; minor: number } {
  const { major, minor } = entry.header;
  if (Number.isNaN(major) || Number.isNaN(minor)) throw corruptEntry(entry.name, 'has no device number');
  if (major < 0 || major > MAX_DEVICE.major || minor < 0 || minor > MAX_DEVICE.minor) {
    throw hostileEntry(entry.name, `has the device number ${major}:${minor}`);
  }
  return { major, minor };
}
