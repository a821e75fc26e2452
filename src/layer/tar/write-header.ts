import { OcitsError } from '../../errors.ts';
import { showPath } from '../byte-path.ts';
import type { Time } from '../layer-change.ts';
import { BLOCK_BYTES } from './header.ts';

/** What goes into a header block; names and targets as bytes (latin1), a folder's name with its slash. */
export interface HeaderToWrite {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtime: Time;
  readonly linkName: string;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: ReadonlyMap<string, Buffer> | undefined;
}

const MAX_OCTAL_8 = 0o7777777;
const MAX_OCTAL_12 = 0o77777777777;

/**
 * The pax records that a header needs because ustar cannot hold what they say: sorted by key, as Go's archive/tar writes
 * them; empty where ustar is enough. Names that are not UTF-8 stay as they are, marked as POSIX says.
 */
export function paxRecordsFor(header: HeaderToWrite): string {
  const { name, linkName, mtime, xattrs } = header;
  const records: [key: string, value: string][] = [];
  if (!isAscii(name) || splitName(name) === undefined) records.push(['path', name]);
  if (!isAscii(linkName) || linkName.length > 100) records.push(['linkpath', linkName]);
  if (header.sizeBytes > MAX_OCTAL_12) records.push(['size', `${header.sizeBytes}`]);
  if (header.uid > MAX_OCTAL_8) records.push(['uid', `${header.uid}`]);
  if (header.gid > MAX_OCTAL_8) records.push(['gid', `${header.gid}`]);
  if (mtime.nanoseconds !== 0 || mtime.seconds < 0 || mtime.seconds > MAX_OCTAL_12) {
    records.push(['mtime', formatTime(mtime)]);
  }
  for (const [attribute, value] of xattrs ?? []) {
    if (attribute.includes('=')) {
      throw new OcitsError(
        'unsupported',
        `${showPath(name)} has the xattr ${attribute}, which pax cannot hold`,
      );
    }
    records.push([`SCHILY.xattr.${attribute}`, value.toString('latin1')]);
  }
  if (records.length === 0) return '';
  records.sort(([a], [b]) => (a < b ? -1 : 1));
  const isBinary = !isUtf8(name) || !isUtf8(linkName);
  return (
    (isBinary ? formatRecord('hdrcharset', 'BINARY') : '') +
    records.map(([k, v]) => formatRecord(k, v)).join('')
  );
}

/** Writes a ustar block at `at` of `buffer`, whatever was there; what does not fit is cut, and in the pax records. */
export function writeHeader(buffer: Buffer, at: number, header: HeaderToWrite): void {
  buffer.fill(0, at, at + BLOCK_BYTES);
  const [prefix, name] = splitName(header.name) ?? ['', header.name.slice(0, 100)];
  buffer.write(toAscii(name), at, 100, 'latin1');
  writeOctal(buffer, at + 100, 7, header.mode & 0o7777);
  writeOctal(buffer, at + 108, 7, header.uid > MAX_OCTAL_8 ? 0 : header.uid);
  writeOctal(buffer, at + 116, 7, header.gid > MAX_OCTAL_8 ? 0 : header.gid);
  writeOctal(buffer, at + 124, 11, header.sizeBytes > MAX_OCTAL_12 ? 0 : header.sizeBytes);
  const { seconds } = header.mtime;
  writeOctal(buffer, at + 136, 11, seconds < 0 || seconds > MAX_OCTAL_12 ? 0 : seconds);
  buffer[at + 156] = header.type.charCodeAt(0);
  if (header.linkName !== '') buffer.write(toAscii(header.linkName.slice(0, 100)), at + 157, 100, 'latin1');
  buffer.write('ustar\x0000', at + 257, 'latin1');
  writeOctal(buffer, at + 329, 7, header.major);
  writeOctal(buffer, at + 337, 7, header.minor);
  if (prefix !== '') buffer.write(toAscii(prefix), at + 345, 155, 'latin1');
  writeChecksum(buffer, at);
}

/** A ustar name as prefix and rest; undefined where it does not fit. */
function splitName(name: string): readonly [prefix: string, name: string] | undefined {
  if (name.length <= 100) return ['', name];
  if (name.length > 256) return undefined;
  // The slash between is not stored; a folder's own slash at the end is part of the rest.
  const slash = name.lastIndexOf('/', Math.min(155, name.length - 2));
  if (slash <= 0 || name.length - slash - 1 > 100) return undefined;
  return [name.slice(0, slash), name.slice(slash + 1)];
}

function writeOctal(buffer: Buffer, at: number, digits: number, value: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    buffer[i] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}

function writeChecksum(buffer: Buffer, at: number): void {
  let sum = 8 * 0x20;
  for (let i = at; i < at + BLOCK_BYTES; i++) sum += buffer[i]!;
  writeOctal(buffer, at + 148, 6, sum);
  buffer[at + 155] = 0x20;
}

/** POSIX pax: the length counts its own digits. */
function formatRecord(key: string, value: string): string {
  const rest = key.length + value.length + 3;
  let length = rest + `${rest}`.length;
  if (`${length}`.length !== `${rest}`.length) length = rest + `${length}`.length;
  return `${length} ${key}=${value}\n`;
}

/** Seconds with a fraction as short as it can be; before 1970 the fraction counts away from the epoch. */
function formatTime({ seconds, nanoseconds }: Time): string {
  if (nanoseconds === 0) return `${seconds}`;
  const isNegative = seconds < 0;
  const whole = isNegative ? -(seconds + 1) : seconds;
  const fraction = isNegative ? 1_000_000_000 - nanoseconds : nanoseconds;
  return `${isNegative ? '-' : ''}${whole}.${`${fraction}`.padStart(9, '0').replace(/0+$/, '')}`;
}

function isAscii(text: string): boolean {
  return !/[^\x00-\x7f]/.test(text);
}

function toAscii(text: string): string {
  return isAscii(text) ? text : text.replace(/[^\x00-\x7f]/g, '_');
}

function isUtf8(bytes: string): boolean {
  if (isAscii(bytes)) return true;
  const raw = Buffer.from(bytes, 'latin1');
  return Buffer.from(raw.toString('utf8'), 'utf8').equals(raw);
}
