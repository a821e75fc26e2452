import { lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nativePath } from '../../src/system/file/byte-name.ts';
import type { NodeToMake } from '../../src/system/file/node-archive.ts';
import { copyTimes, makeNodes, makeWhiteoutDevice, setXattrs } from '../../src/system/file/special-files.ts';
import { readXattrs, readXattrsOf, removeXattr } from '../../src/system/file/xattrs.ts';

const S_IFMT = 0o170000;
const LONG = `${'d'.repeat(120)}/${'n\xe9'.repeat(60)}`;

function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'ocits-special-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function statOf(folder: string, path: string) {
  const stat = lstatSync(nativePath(join(folder, path)), { bigint: true });
  return {
    kind: Number(stat.mode) & S_IFMT,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    rdev: Number(stat.rdev),
    mtimeNs: stat.mtimeNs,
    nlink: Number(stat.nlink),
  };
}

test('nodes get their exact type, owner, mode and time', async () => {
  using folder = temporaryFolder();
  mkdirSync(nativePath(join(folder.path, LONG.slice(0, 120))));
  const common = { mode: 0o640, uid: 3_000_000_000, gid: 77, mtime: { seconds: 1, nanoseconds: 2 } };
  const nodes: NodeToMake[] = [
    { ...common, path: 'null', type: 'char', major: 1, minor: 3 },
    { ...common, path: 'disk', type: 'block', major: 8, minor: 300 },
    { ...common, path: 'disk2', type: 'hardlink', target: 'disk' },
    { ...common, path: LONG, type: 'fifo', mode: 0o4777 },
    {
      ...common,
      path: 'link\xff',
      type: 'symlink',
      target: `/${'\xfe'.repeat(150)}`,
      mtime: { seconds: -2, nanoseconds: 500_000_000 },
    },
    { ...common, path: LONG.slice(0, 120), type: 'directory', mode: 0o1711, uid: 0 },
  ];
  await makeNodes(folder.path, nodes);
  const base = { mode: 0o640, uid: 3_000_000_000, gid: 77, mtimeNs: 1_000_000_002n, nlink: 1 };
  expect(statOf(folder.path, 'null')).toEqual({ ...base, kind: 0o020000, rdev: 0x103 });
  expect(statOf(folder.path, 'disk')).toEqual({ ...base, kind: 0o060000, rdev: 0x10082c, nlink: 2 });
  expect(statOf(folder.path, LONG)).toMatchObject({ ...base, kind: 0o010000, mode: 0o4777 });
  expect(statOf(folder.path, 'link\xff')).toMatchObject({ kind: 0o120000, mtimeNs: -1_500_000_000n });
  expect(readlinkSync(nativePath(join(folder.path, 'link\xff')), 'latin1')).toBe(`/${'\xfe'.repeat(150)}`);
  expect(statOf(folder.path, LONG.slice(0, 120))).toMatchObject({ mode: 0o1711, mtimeNs: 1_000_000_002n });
});

test('times are copied to the nanosecond and contents stay', async () => {
  using folder = temporaryFolder();
  const [pattern, target] = [join(folder.path, 'pattern'), join(folder.path, 'target')];
  for (const path of [pattern, target]) mkdirSync(join(path, 'a'), { recursive: true });
  writeFileSync(join(target, 'a/file'), 'content', { mode: 0o4755 });
  const mtime = { seconds: 1_700_000_000, nanoseconds: 123_456_789 };
  await makeNodes(pattern, [{ path: 'a/file', type: 'file', mode: 0, uid: 5, gid: 5, mtime }]);
  await copyTimes(pattern, target);
  const stat = statOf(target, 'a/file');
  expect(stat).toMatchObject({ mtimeNs: 1_700_000_000_123_456_789n, uid: 0, mode: 0o4755 });
  expect(lstatSync(join(target, 'a/file')).size).toBe(7);
});

test('extended attributes of any bytes go in and come out', async () => {
  using folder = temporaryFolder();
  const path = ' a=#\\\n\xff';
  writeFileSync(nativePath(join(folder.path, path)), '');
  await makeNodes(folder.path, [
    {
      path: 'link',
      type: 'symlink',
      target: 'x',
      mode: 0,
      uid: 0,
      gid: 0,
      mtime: { seconds: 0, nanoseconds: 0 },
    },
  ]);
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
  const file = new Map([
    ['user.\xe9 =\\', Buffer.from([0, 10, 255])],
    ['user.empty', Buffer.alloc(0)],
    ['security.capability', capability],
  ]);
  const link = new Map([['trusted.overlay.origin', Buffer.from('x')]]);
  const root = new Map([['user.root', Buffer.from('yes')]]);
  expect(
    await setXattrs(folder.path, [
      { path, xattrs: file },
      { path: 'link', xattrs: link },
      { path: '', xattrs: root },
    ]),
  ).toEqual([]);
  await removeXattr(folder.path, 'user.empty', [path]);
  const found = new Map<string, ReadonlyMap<string, Buffer>>();
  await readXattrs(folder.path, (each) => found.set(each.path, each.xattrs));
  file.delete('user.empty');
  expect(found).toEqual(
    new Map([
      [path, file],
      ['link', link],
      ['', root],
    ]),
  );
  expect(await readXattrsOf(folder.path, 'link')).toEqual(link);
});

test('an attribute that the file system refuses is told, not thrown', async () => {
  using folder = temporaryFolder();
  writeFileSync(join(folder.path, 'file'), '');
  const xattrs = new Map([['system.nonsense', Buffer.from('x')]]);
  const told = await setXattrs(folder.path, [{ path: 'file', xattrs }]);
  expect(told).toEqual([expect.stringContaining('file')]);
});

test('all refused attributes are told, however many, and a failure among them is none less', async () => {
  using folder = temporaryFolder();
  const names = Array.from({ length: 400 }, (_, i) => `link-${i}`);
  for (const name of names) symlinkSync('x', join(folder.path, name));
  const xattrs = new Map([['user.x', Buffer.from('x')]]);
  const refused = names.map((path) => ({ path, xattrs }));
  const told = await setXattrs(folder.path, refused);
  expect(told).toHaveLength(names.length);
  await expect(setXattrs(folder.path, [{ path: 'none', xattrs }, ...refused])).rejects.toMatchObject({
    code: 'tool-failed',
  });
});

test('a missing file is an error', async () => {
  using folder = temporaryFolder();
  const xattrs = new Map([['user.x', Buffer.from('x')]]);
  await expect(setXattrs(folder.path, [{ path: 'none', xattrs }])).rejects.toMatchObject({
    code: 'tool-failed',
  });
});

test('the whiteout device is 0:0', async () => {
  using folder = temporaryFolder();
  await makeWhiteoutDevice(join(folder.path, 'w'));
  expect(statOf(folder.path, 'w')).toMatchObject({ kind: 0o020000, rdev: 0, mode: 0 });
});
