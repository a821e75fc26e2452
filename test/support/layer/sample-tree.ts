import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import type { LayerEntry, Time } from '../../../src/layer/layer-change.ts';

/** An entry as it is on disk, with a file's content. */
export interface SampleEntry {
  readonly entry: LayerEntry;
  readonly content?: Buffer;
  /** What an archive format must be able to hold for this one. */
  readonly needs?: readonly ('devices' | 'long-names' | 'early-times' | 'xattrs' | 'big-owners')[];
}

const NOON: Time = { seconds: 1_700_000_000, nanoseconds: 0 };
const common = { uid: 0, gid: 0, mtime: NOON };
const LONG = `${'long-folder-name/'.repeat(9)}${'n'.repeat(120)}`;
const LONG_FOLDERS = Array.from({ length: 9 }, (_, i) => 'long-folder-name/'.repeat(i + 1).slice(0, -1));
const SPARSE = Buffer.alloc(1024 * 1024);
SPARSE.fill('first', 0, 4096);
SPARSE.fill('second', 131072, 131072 + 4096);
SPARSE.fill('third', 917504, 917504 + 8192);

function folder(path: string, more: Partial<LayerEntry> = {}): SampleEntry {
  return { entry: { type: 'directory', path, mode: 0o755, ...common, ...more } as LayerEntry };
}

function file(path: string, text: string | Buffer, more: Partial<LayerEntry> = {}): SampleEntry {
  const content = Buffer.from(text as string, 'latin1');
  const sizes = { sizeBytes: content.length, storedBytes: content.length, dataOffset: 0 };
  return { content, entry: { type: 'file', path, mode: 0o644, ...common, ...sizes, ...more } as LayerEntry };
}

function other(entry: Partial<LayerEntry>): SampleEntry {
  return { entry: { mode: 0o644, ...common, ...entry } as LayerEntry };
}

function needing(sample: SampleEntry, ...needs: NonNullable<SampleEntry['needs']>): SampleEntry {
  return { ...sample, needs };
}

/**
 * A tree with one of everything that a layer can hold, sorted by path, folders before what is in them. Making it needs
 * root. Times of names that are not UTF-8 have a fraction that a double holds exactly: Node sets those.
 */
export const SAMPLE_TREE: readonly SampleEntry[] = [
  needing(other({ type: 'block', path: 'block', mode: 0o660, major: 7, minor: 200 }), 'devices'),
  needing(other({ type: 'char', path: 'char', mode: 0o666, gid: 5, major: 1, minor: 3 }), 'devices'),
  needing(
    file('early', 'before 1970', { mtime: { seconds: -86_400, nanoseconds: 250_000_000 } }),
    'early-times',
  ),
  file('empty', ''),
  needing(other({ type: 'fifo', path: 'fifo', mode: 0o600 }), 'devices'),
  folder('folder', { mode: 0o1777, uid: 1000, gid: 1001 }),
  file('folder/executable', '#!/bin/sh\n', { mode: 0o4755 }),
  file('folder/exactly-512', 'x'.repeat(512)),
  file('folder/nanoseconds', 'n', { mtime: { seconds: 1_600_000_000, nanoseconds: 123_456_789 } }),
  file('folder/not-utf8-\xff\xfe', 'bytes', { mtime: { seconds: 1_600_000_000, nanoseconds: 250_000_000 } }),
  file('folder/\xc3\xbcml\xc3\xa4ut', 'utf8'),
  file('folder/with\nnewline', 'newline'),
  folder('folder/zeros'),
  file('folder/zeros/700k', Buffer.alloc(700_000, 'abc')),
  other({ type: 'hardlink', path: 'hardlink', target: 'empty' }),
  ...LONG_FOLDERS.map((path) => needing(folder(path), 'long-names')),
  needing(file(LONG, 'long'), 'long-names'),
  needing(file('owner', 'big', { uid: 3_000_000, gid: 4_294_967_294 }), 'big-owners'),
  file('sparse', SPARSE),
  other({ type: 'symlink', path: 'symlink', mode: 0o777, target: '../outside/\xff' }),
  needing(
    other({ type: 'symlink', path: 'symlink-long', mode: 0o777, target: 't/'.repeat(300) }),
    'long-names',
  ),
  needing(
    file('xattrs', 'x', {
      xattrs: new Map([
        ['security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex')],
        ['trusted.binary', Buffer.from([0, 1, 2, 0x0a, 0xff, 0x3d])],
        ['user.text', Buffer.from('text=with\nnewline')],
      ]),
    }),
    'xattrs',
  ),
].sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1));

/** Makes these entries below `root`, an empty folder. */
export function makeTree(root: string, samples: readonly SampleEntry[] = SAMPLE_TREE): void {
  for (const sample of samples) create(root, sample);
  for (const { entry } of samples) {
    if (entry.type === 'hardlink') continue;
    lchownSync(at(root, entry.path), entry.uid, entry.gid);
    if (entry.type !== 'symlink') chmodSync(at(root, entry.path), entry.mode);
  }
  for (const { entry } of samples) setXattrs(root, entry);
  for (const { entry } of samples.toReversed()) setTime(root, entry);
}

/** The bytes of a path below `root`. */
function at(root: string, path: string): Buffer {
  return Buffer.from(`${Buffer.from(root).toString('latin1')}/${path}`, 'latin1');
}

function create(root: string, { entry, content }: SampleEntry): void {
  const path = at(root, entry.path);
  if (entry.type === 'directory') mkdirSync(path);
  else if (entry.type === 'symlink') symlinkSync(Buffer.from(entry.target, 'latin1'), path);
  else if (entry.type === 'hardlink') linkSync(at(root, entry.target), path);
  else if (entry.type === 'fifo') execFileSync('mkfifo', [path.toString()]);
  else if (entry.type !== 'file') {
    const letter = entry.type === 'char' ? 'c' : 'b';
    execFileSync('mknod', [path.toString(), letter, `${entry.major}`, `${entry.minor}`]);
  } else writeWithHoles(path, content!);
}

/** Leaves out 4 KiB pages of zeros. */
function writeWithHoles(path: Buffer, content: Buffer): void {
  const fd = openSync(path, 'wx');
  for (let start = 0; start < content.length; start += 4096) {
    const page = content.subarray(start, start + 4096);
    if (page.some((byte) => byte !== 0)) writeSync(fd, page, 0, page.length, start);
  }
  ftruncateSync(fd, content.length);
  closeSync(fd);
}

function setXattrs(root: string, { path, xattrs }: LayerEntry): void {
  for (const [name, value] of xattrs ?? []) {
    execFileSync('setfattr', ['-h', '-n', name, '-v', `0x${value.toString('hex')}`, `${root}/${path}`]);
  }
}

function setTime(root: string, { type, path, mtime: { seconds, nanoseconds } }: LayerEntry): void {
  if (type === 'hardlink') return;
  if (nanoseconds % 250_000_000 === 0) {
    // As a text: Node takes a negative number for now.
    const time = `${seconds + nanoseconds / 1e9}`;
    lutimesSync(at(root, path), time, time);
  } else {
    const fraction = nanoseconds.toString().padStart(9, '0');
    execFileSync('touch', ['-h', '-d', `@${seconds}.${fraction}`, `${root}/${path}`]);
  }
}
