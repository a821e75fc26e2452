import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readXattrs } from '../../../src/system/file/xattrs.ts';

export interface ListOptions {
  /** Leave these attributes out. */
  readonly withoutXattrs?: RegExp;
  /** Leave the root folder itself out. */
  readonly withoutRoot?: boolean;
  /** Leave out the times of folders that fit. */
  readonly withoutTimes?: RegExp;
}

/** By the mode's type bits, which are its upper four. */
const TYPES: Readonly<Record<number, string>> = {
  1: 'fifo',
  2: 'char',
  4: 'directory',
  6: 'block',
  8: 'file',
  10: 'symlink',
  12: 'socket',
};

/**
 * All that a tree on disk has, as one line an entry, by path (latin1): type, mode, owner, size, time in nanoseconds,
 * link target, device, the path with which it shares an inode, content hash and attributes. Two trees are equal where
 * their lists are.
 */
export async function listTree(root: string, options: ListOptions = {}): Promise<Record<string, string>> {
  const xattrs = new Map<string, ReadonlyMap<string, Buffer>>();
  await readXattrs(root, (file) => xattrs.set(file.path, file.xattrs));
  const list: Record<string, string> = {};
  const inodes = new Map<bigint, string>();
  const visit = (path: string) => {
    const native = bytes(path === '' ? root : `${Buffer.from(root).toString('latin1')}/${path}`);
    const line = describe(native, path, inodes, options);
    const names = [...(xattrs.get(path) ?? [])]
      .filter(([name]) => !options.withoutXattrs?.test(name))
      .map(([name, value]) => `${name}=${value.toString('hex')}`);
    if (path !== '' || !options.withoutRoot) list[path] = [line, ...names.sort()].join(' ');
    if (!line.startsWith('directory')) return;
    for (const name of readdirSync(native, { encoding: 'latin1' }).sort()) {
      visit(path === '' ? name : `${path}/${name}`);
    }
  };
  visit('');
  return list;
}

function describe(
  native: Buffer,
  path: string,
  inodes: Map<bigint, string>,
  { withoutTimes }: ListOptions,
): string {
  const stat = lstatSync(native, { bigint: true });
  const type = TYPES[Number(stat.mode) >> 12]!;
  const parts = [type, (Number(stat.mode) & 0o7777).toString(8), `${stat.uid}:${stat.gid}`];
  if (!(type === 'directory' && withoutTimes?.test(path))) parts.push(`t${stat.mtimeNs}`);
  if (type === 'char' || type === 'block') parts.push(`dev${stat.rdev.toString(16)}`);
  if (type === 'symlink') parts.push(`->${readlinkSync(native, 'latin1')}`);
  if (type === 'file')
    parts.push(`${stat.size}b`, createHash('sha256').update(readFileSync(native)).digest('hex').slice(0, 16));
  if (type !== 'directory' && stat.nlink > 1n) {
    const first = inodes.get(stat.ino);
    if (first === undefined) inodes.set(stat.ino, path);
    parts.push(`x${stat.nlink}${first === undefined ? '' : `=${first}`}`);
  }
  return parts.join(' ');
}

function bytes(path: string): Buffer {
  return Buffer.from(path, 'latin1');
}
