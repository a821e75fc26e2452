import { corruptEntry, hostileEntry } from '../byte-path.ts';
import type { Time } from '../layer-change.ts';
import { hasData, type TarEntry } from './entry.ts';
import type { TarHeader } from './header.ts';
import { type PaxRecords, parsePaxNumber, parsePaxRecords, parsePaxTime } from './pax-records.ts';

/** What the headers before an entry's own say of it: a pax header, and GNU's long name and long link. */
export interface Prelude {
  pax?: PaxRecords | undefined;
  longName?: string | undefined;
  longLink?: string | undefined;
}

const XATTR = 'SCHILY.xattr.';
const MAX_OWNER = 2 ** 32 - 2;
const MAX_XATTR_BYTES = 64 * 1024;
const MAX_XATTR_NAME_BYTES = 255;

/** Takes the content of an `x`, `g`, `L` or `K` header into the prelude, and warns of what it does not obey. */
export function readPrelude(
  prelude: Prelude,
  { name, type }: TarHeader,
  data: Buffer,
  warn: (text: string) => void,
): void {
  if (type === 'L') prelude.longName = untilNul(data);
  else if (type === 'K') prelude.longLink = untilNul(data);
  else {
    const pax = parsePaxRecords(data);
    if (typeof pax === 'string') throw corruptEntry(name, pax);
    if (type === 'x') prelude.pax = pax;
    // Docker, containerd and podman obey no global header: a tree that they do not see must not come about here.
    else if ([...pax.values.keys()].some((key) => key !== 'comment')) warn('a global pax header was ignored');
  }
}

function untilNul(data: Buffer): string {
  const end = data.indexOf(0);
  return data.toString('latin1', 0, end < 0 ? data.length : end);
}

/** Types of headers that only say something of the entry that follows them. */
export function isPreludeType(type: string): boolean {
  return type === 'x' || type === 'g' || type === 'L' || type === 'K';
}

/**
 * The header with what its prelude says: GNU's long name goes before pax, and pax before the header's own fields, as Go
 * reads it. Throws `corrupt` for a number that is none, `hostile` for one that is none of Linux's.
 */
export function describeEntry(header: TarHeader, prelude: Prelude, dataOffset: number): TarEntry {
  const { pax, longName, longLink } = prelude;
  const name = longName || pax?.values.get('path') || header.name;
  if (pax !== undefined) refuseNul(pax, name);
  if (Number.isNaN(header.mode)) throw corruptEntry(name, 'has a mode that is no number');
  const sizeBytes = hasData(header.type) ? numberOf('size', header.sizeBytes, pax, name) : 0;
  if (sizeBytes < 0) throw hostileEntry(name, `has the size ${sizeBytes}`);
  return {
    header,
    name,
    linkName: longLink || pax?.values.get('linkpath') || header.linkName,
    uid: ownerOf('uid', header.uid, pax, name),
    gid: ownerOf('gid', header.gid, pax, name),
    mtime: timeOf(header, pax, name),
    xattrs: pax === undefined ? undefined : xattrsOf(pax, name),
    sizeBytes,
    storedBytes: sizeBytes,
    dataOffset,
    sparse: undefined,
  };
}

function numberOf(key: string, own: number, pax: PaxRecords | undefined, name: string): number {
  const text = pax?.values.get(key);
  const value = text ? parsePaxNumber(text) : own;
  if (Number.isNaN(value)) throw corruptEntry(name, `has a ${key} that is no number`);
  return value;
}

function ownerOf(key: 'uid' | 'gid', own: number, pax: PaxRecords | undefined, name: string): number {
  const value = numberOf(key, own, pax, name);
  if (value < 0 || value > MAX_OWNER) throw hostileEntry(name, `has the ${key} ${value}`);
  return value;
}

function timeOf(header: TarHeader, pax: PaxRecords | undefined, name: string): Time {
  const text = pax?.values.get('mtime');
  const time = text ? parsePaxTime(text) : { seconds: header.mtimeSeconds, nanoseconds: 0 };
  if (time === undefined || Number.isNaN(time.seconds))
    throw corruptEntry(name, 'has a time that is no number');
  if (!Number.isSafeInteger(time.seconds)) throw hostileEntry(name, 'has a time beyond all calendars');
  return time;
}

/** The xattrs of a pax header. Names with control characters would forge lines of a `setfattr --restore` file. */
function xattrsOf(pax: PaxRecords, name: string): Map<string, Buffer> | undefined {
  let xattrs: Map<string, Buffer> | undefined;
  for (const [key, value] of pax.values) {
    if (!key.startsWith(XATTR)) continue;
    const attribute = key.slice(XATTR.length);
    if (attribute.length > MAX_XATTR_NAME_BYTES || !/^[^\x00-\x1f\x7f]+$/.test(attribute)) {
      throw hostileEntry(name, 'has an xattr whose name Linux does not take');
    }
    if (value.length > MAX_XATTR_BYTES) throw hostileEntry(name, `has an xattr of ${value.length} bytes`);
    xattrs ??= new Map();
    xattrs.set(attribute, Buffer.from(value, 'latin1'));
  }
  return xattrs;
}

/** pax: a NUL in a name would end it early for one reader and not for another. */
function refuseNul(pax: PaxRecords, name: string): void {
  for (const key of ['path', 'linkpath', 'GNU.sparse.name']) {
    if (pax.values.get(key)?.includes('\0')) throw hostileEntry(name, `has a NUL in its pax ${key}`);
  }
}
