import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestHex, digestOf } from '../../src/oci/digest.ts';
import { createOverlaySnapshotter } from '../../src/snapshotter/overlay-snapshotter.ts';
import { overlayMount } from '../../src/snapshotter/overlayfs/overlay-mount.ts';
import { readXattrs } from '../../src/system/file/xattrs.ts';
import { lockFile } from '../../src/system/task/lock.ts';
import { type TemporarySnapshotter, temporarySnapshotter } from '../support/image/temporary-snapshotter.ts';
import {
  detailed,
  device,
  file,
  folder,
  layerTar,
  opaque,
  symlink,
  whiteout,
} from '../support/layer/layer-tar.ts';
import { listTree } from '../support/layer/list-tree.ts';
import { mountTree } from '../support/layer/mount-tree.ts';

const MODULE = join(import.meta.dirname, '../../src/snapshotter/overlay-snapshotter.ts');
const overlay = () => temporarySnapshotter((paths) => createOverlaySnapshotter(paths));
const root = ({ paths }: TemporarySnapshotter) => join(paths.root, 'snapshots/overlay');

test('mounts say what overlayfs may not do', async () => {
  await using temporary = await overlay();
  const { keys } = await temporary.stack([layerTar(file('a')), layerTar(file('b'))]);
  const off = ['redirect_dir=off', 'metacopy=off', 'index=off'];
  const [view] = await temporary.snapshotter.view(keys);
  expect(view!.options).toEqual([
    expect.stringMatching(/^lowerdir=l\/[0-9a-f]{8}:l\/[0-9a-f]{8}$/),
    'ro',
    ...off,
  ]);
  const name = temporary.name();
  const { mounts } = await temporary.snapshotter.prepare(name, keys, [{ path: 'dev', type: 'directory' }], {
    isVolatile: true,
  });
  expect(mounts).toEqual([
    {
      type: 'overlay',
      source: 'overlay',
      folder: root(temporary),
      options: [
        expect.stringMatching(/^lowerdir=\.\.\/\.\.\/containers\/0\/targets:l\/[0-9a-f]{8}:l\/[0-9a-f]{8}$/),
        'upperdir=../../containers/0/upper',
        'workdir=../../containers/0/work',
        'volatile',
        ...off,
      ],
    },
  ]);
});

test('names that overlayfs would misread, and too many layers, are refused', () => {
  const parts = { folder: '/a', lowers: ['l/1'], userXattrs: false };
  for (const bad of ['/a/b,c', '/a/b:c', '/a/b\\c', '/a/b c', '/a/"b']) {
    const upper = { folder: bad, work: '/a/w' };
    expect(() => overlayMount({ ...parts, upper })).toThrow(
      expect.objectContaining({ code: 'invalid-argument' }),
    );
  }
  const lowers = Array.from({ length: 400 }, (_, i) => `l/${i}2345678`);
  expect(() => overlayMount({ ...parts, lowers })).toThrow(expect.objectContaining({ code: 'unsupported' }));
});

test("an image's own marks for overlayfs are left out, with a warning each", async () => {
  await using temporary = await overlay();
  const mark = (name: string, value: string) => ({ xattrs: { [name]: value, 'user.kept': 'v' } });
  const warnings: string[] = [];
  const { keys } = await temporary.stack(
    [
      layerTar(folder('a'), file('a/below'), folder('b'), file('b/below'), file('c', 'shown')),
      layerTar(
        detailed(folder('a'), mark('trusted.overlay.opaque', 'y')),
        detailed(folder('b'), mark('user.overlay.opaque', 'y')),
        detailed(folder('d'), mark('trusted.overlay.redirect', '/b')),
        detailed(file('e', ''), mark('trusted.overlay.metacopy', '')),
        device('c', 0, 0),
        device('f', 0, 0),
      ),
    ],
    { onWarning: (text) => warnings.push(text) },
  );
  await using mounted = await mountTree(await temporary.snapshotter.view(keys));
  const tree = await listTree(mounted.root, { withoutRoot: true });
  expect(Object.keys(tree)).toEqual(['a', 'a/below', 'b', 'b/below', 'c', 'd', 'e']);
  expect(tree['c']).toContain('5b');
  const found: string[] = [];
  await readXattrs(join(root(temporary), digestHex(keys[1]!), 'fs'), ({ xattrs }) =>
    found.push(...xattrs.keys()),
  );
  expect(found).toEqual(Array(4).fill('user.kept'));
  expect(warnings.sort()).toEqual([
    'a device 0:0, which overlayfs takes for a whiteout, was left out: "c" and 1 more',
    'an extended attribute that overlayfs would obey was left out: "a" and 3 more',
  ]);
});

test('whiteouts are links of one device, made anew when it can have no more', async () => {
  await using temporary = await overlay();
  const many = (count: number, letter: string) =>
    layerTar(...Array.from({ length: count }, (_, i) => whiteout(`${letter}${i}`)));
  const { keys } = await temporary.stack([
    layerTar(file('x0'), file('y65009')),
    many(10, 'x'),
    many(65_010, 'y'),
  ]);
  await using mounted = await mountTree(await temporary.snapshotter.view(keys));
  expect(readdirSync(mounted.root)).toEqual([]);
  const devices = execFileSync('find', [root(temporary), '-type', 'c', '-printf', '%i\\n'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
  });
  expect(new Set(devices.trim().split('\n')).size).toBe(2);
});

/** Makes of a layer's record one that was written before the host started. */
function age(temporary: TemporarySnapshotter, key: string): string {
  const folder = join(root(temporary), key.slice(7));
  const record = JSON.parse(readFileSync(join(folder, 'record.json'), 'utf8'));
  writeFileSync(join(folder, 'record.json'), JSON.stringify({ ...record, bootId: 'an earlier one' }));
  return folder;
}

const LAYER = layerTar(folder('a'), file('a/b', 'content'), symlink('c', 'a'), whiteout('d'), opaque('a'));

test('a layer of an earlier boot is held against its index', async () => {
  await using temporary = await overlay();
  const { keys, diffIds } = await temporary.stack([layerTar(file('base')), LAYER]);
  const tree = age(temporary, keys[1]!);
  expect((await temporary.snapshotter.stat(diffIds))?.key).toBe(keys[1]);
  // Once looked at, it is known to be on the disk.
  truncateSync(join(tree, 'fs/a/b'), 0);
  expect((await temporary.snapshotter.stat(diffIds))?.key).toBe(keys[1]);
});

test.each([
  ['a file lost its content', (tree: string) => truncateSync(join(tree, 'fs/a/b'), 0)],
  ['a file is gone', (tree: string) => unlinkSync(join(tree, 'fs/c'))],
  [
    'a file is of another type',
    (tree: string) => {
      unlinkSync(join(tree, 'fs/c'));
      mkdirSync(join(tree, 'fs/c'));
    },
  ],
])('after a crash, where %s, the layer is unpacked again', async (_, damage) => {
  await using temporary = await overlay();
  const first = await temporary.stack([layerTar(file('base')), LAYER]);
  damage(age(temporary, first.keys[1]!));
  expect(await temporary.snapshotter.stat(first.diffIds)).toBeUndefined();
  await expect(temporary.snapshotter.view(first.keys)).rejects.toMatchObject({ code: 'not-found' });
  const again = await temporary.stack([layerTar(file('base')), LAYER]);
  await using mounted = await mountTree(await temporary.snapshotter.view(again.keys));
  expect(readFileSync(join(mounted.root, 'a/b'), 'utf8')).toBe('content');
});

test('what a sync has marked is trusted after a restart', async () => {
  await using temporary = await overlay();
  const { keys, diffIds } = await temporary.stack([layerTar(file('base')), LAYER]);
  await temporary.snapshotter.sync();
  truncateSync(join(age(temporary, keys[1]!), 'fs/a/b'), 0);
  expect((await temporary.snapshotter.stat(diffIds))?.key).toBe(keys[1]);
});

test('a layer is trusted no more when its index is gone, too', async () => {
  await using temporary = await overlay();
  const { keys, diffIds } = await temporary.stack([LAYER]);
  age(temporary, keys[0]!);
  unlinkSync(join(temporary.paths.root, 'indexes/sha256', digestHex(diffIds[0]!)));
  expect(await temporary.snapshotter.stat(diffIds)).toBeUndefined();
});

test('a layer whose record a crash has emptied is unpacked again', async () => {
  await using temporary = await overlay();
  const tars = [layerTar(file('base')), LAYER];
  const { keys } = await temporary.stack(tars);
  const folder = join(root(temporary), digestHex(keys[1]!));
  truncateSync(join(folder, 'record.json'), 0);
  truncateSync(join(folder, 'fs/a/b'), 0);
  const again = await temporary.stack(tars);
  await using mounted = await mountTree(await temporary.snapshotter.view(again.keys));
  expect(readFileSync(join(mounted.root, 'a/b'), 'utf8')).toBe('content');
  await temporary.snapshotter.cleanup();
  expect(readdirSync(join(root(temporary), 'trash'))).toEqual([]);
});

test('cleaning up clears away a layer whose record a crash has emptied', async () => {
  await using temporary = await overlay();
  const { keys, diffIds } = await temporary.stack([layerTar(file('base')), LAYER]);
  const folders = keys.map((key) => join(root(temporary), digestHex(key)));
  truncateSync(join(folders[1]!, 'record.json'), 0);
  await temporary.snapshotter.cleanup();
  expect(folders.map((folder) => existsSync(folder))).toEqual([true, false]);
  expect((await temporary.snapshotter.stat(diffIds.slice(0, 1)))?.key).toBe(keys[0]);
});

test('what a killed process left is taken over, and cleaned up', async () => {
  await using temporary = await overlay();
  const tar = layerTar(...Array.from({ length: 30 }, (_, i) => file(`f${i}`, Buffer.alloc(1_000_000, i))));
  const diffIds = [digestOf(tar)];
  const source = temporary.source(tar);
  const script = `
    import { createOverlaySnapshotter } from ${JSON.stringify(MODULE)};
    const snapshotter = createOverlaySnapshotter(${JSON.stringify(temporary.paths)});
    const request = ${JSON.stringify({ parents: [], diffIds, source })};
    await snapshotter.apply({ ...request, onBytes: () => process.kill(process.pid, 'SIGKILL') });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
  const staging = join(root(temporary), 'staging', digestHex(diffIds[0]!));
  expect(existsSync(staging)).toBe(true);
  expect(await temporary.snapshotter.stat(diffIds)).toBeUndefined();
  await temporary.snapshotter.apply({ parents: [], diffIds, source });
  expect(existsSync(staging)).toBe(false);
  mkdirSync(staging);
  await temporary.snapshotter.cleanup();
  expect(existsSync(staging)).toBe(false);
});

test('a whiteout device that a killed process was making is cleaned up', async () => {
  await using temporary = await overlay();
  const base = layerTar(file('d'));
  const { keys } = await temporary.stack([base]);
  const tar = layerTar(whiteout('d'));
  const request = { parents: keys, diffIds: [digestOf(base), digestOf(tar)], source: temporary.source(tar) };
  const programs = temporary.name();
  mkdirSync(programs);
  writeFileSync(join(programs, 'mknod'), '#!/bin/sh\n/usr/bin/mknod "$@"\nkill -9 $PPID\n', { mode: 0o755 });
  const script = `
    import { createOverlaySnapshotter } from ${JSON.stringify(MODULE)};
    await createOverlaySnapshotter(${JSON.stringify(temporary.paths)}).apply(${JSON.stringify(request)});`;
  const env = { ...process.env, PATH: `${programs}:${process.env['PATH']}` };
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit', env });
  expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
  const devices = () =>
    execFileSync('find', [root(temporary), '-type', 'c'], { encoding: 'utf8' }).split('\n').length - 1;
  expect(devices()).toBe(1);
  await temporary.snapshotter.cleanup();
  expect(devices()).toBe(0);
});

test('root folders that a killed process had only begun get their owner and mode', async () => {
  await using temporary = await overlay();
  const { keys } = await temporary.stack([layerTar(folder('', { mode: 0o751, uid: 7 }), file('a'))]);
  const name = temporary.name();
  for (const begun of [join(name, 'upper'), join(root(temporary), 'empty/751-7-0-0')])
    mkdirSync(begun, { recursive: true, mode: 0o700 });
  await using active = await mountTree((await temporary.snapshotter.prepare(name, keys)).mounts);
  expect(statSync(active.root)).toMatchObject({ mode: 0o40751, uid: 7 });
  const { keys: above } = await temporary.stack([
    layerTar(folder('', { mode: 0o751, uid: 7 }), file('a')),
    layerTar(file('b')),
  ]);
  await using view = await mountTree(await temporary.snapshotter.view(above));
  expect(statSync(view.root)).toMatchObject({ mode: 0o40751, uid: 7 });
});

test('on a full disk the error says so, and nothing is left', async () => {
  await using temporary = await overlay();
  const tar = layerTar(...Array.from({ length: 30 }, (_, i) => file(`f${i}`, Buffer.alloc(1_000_000, i))));
  const small = temporary.name();
  mkdirSync(small);
  const request = { parents: [], diffIds: [digestOf(tar)], source: temporary.source(tar) };
  const script = `
    import { readdirSync } from 'node:fs';
    import { createOverlaySnapshotter } from ${JSON.stringify(MODULE)};
    const snapshotter = createOverlaySnapshotter({ root: ${JSON.stringify(small)}, run: ${JSON.stringify(temporary.paths.run)} });
    const error = await snapshotter.apply(${JSON.stringify(request)}).catch((error) => error);
    console.log(error.code, readdirSync(${JSON.stringify(join(small, 'snapshots/overlay/staging'))}).length);`;
  const mountAndRun = 'mount -t tmpfs -o size=4m tmpfs "$0" && exec "$1" --input-type=module -e "$2"';
  const said = execFileSync('unshare', ['--mount', 'sh', '-c', mountAndRun, small, process.execPath, script]);
  expect(said.toString().trim()).toBe('disk-full 0');
});

test('cleaning up spares what another process unpacks', async () => {
  await using temporary = await overlay();
  await temporary.stack([LAYER]);
  const hex = digestHex(digestOf('busy'));
  const staging = join(root(temporary), 'staging', hex);
  mkdirSync(staging);
  {
    await using _lock = await lockFile(join(temporary.paths.run, 'locks/snapshots-overlay', hex), {
      mode: 'exclusive',
    });
    await temporary.snapshotter.cleanup();
    expect(existsSync(staging)).toBe(true);
  }
  await temporary.snapshotter.cleanup();
  expect(existsSync(staging)).toBe(false);
});

test("cleaning up takes overlayfs's marks out of committed layers, and no opaque one", async () => {
  await using temporary = await overlay();
  const { keys, diffIds } = await temporary.stack([
    layerTar(folder('a'), file('a/old'), file('b'), folder('c')),
  ]);
  const [name, tarPath] = [temporary.name(), temporary.name()];
  {
    await using mounted = await mountTree((await temporary.snapshotter.prepare(name, keys)).mounts);
    execFileSync('sh', [
      '-c',
      'cd "$0"; rm -r a; mkdir a; echo x >> b; touch c/d; setfattr -n user.k -v v b',
      mounted.root,
    ]);
  }
  const { diffId } = await temporary.snapshotter.diff(name, { tarPath });
  const key = await temporary.snapshotter.commit(name, diffIds, diffId);
  const marks = async () => {
    const found: string[] = [];
    await readXattrs(join(root(temporary), digestHex(key), 'fs'), ({ path, xattrs }) =>
      found.push(...[...xattrs.keys()].map((attribute) => `${path} ${attribute}`)),
    );
    return found;
  };
  expect((await marks()).length).toBeGreaterThan(2);
  await temporary.snapshotter.cleanup();
  expect((await marks()).sort()).toEqual(['a trusted.overlay.opaque', 'b user.k']);
});

test('a container that swaps folders and symlinks meanwhile leads nowhere outside', async () => {
  await using temporary = await overlay();
  const { keys } = await temporary.stack([layerTar(folder('etc'), file('etc/passwd', 'inside'))]);
  const name = temporary.name();
  await using mounted = await mountTree((await temporary.snapshotter.prepare(name, keys)).mounts);
  mkdirSync(join(mounted.root, 'd'));
  writeFileSync(join(mounted.root, 'd/secret'), 'inside');
  const secret = temporary.name();
  mkdirSync(secret);
  writeFileSync(join(secret, 'secret'), 'outside');
  const swap = `cd "$0"; ln -s "$1" evil; ln -s "$1/secret" f; i=0
    while :; do mv d e; mv -T evil d; mv -T d evil; mv e d; ln -sf "$1/secret" x; mv -T x d/secret; echo inside > y; mv -T y d/secret; done`;
  const child = spawn('sh', ['-c', swap, mounted.root, secret], { stdio: 'ignore' });
  try {
    const seen = new Set<string>();
    const end = Date.now() + 1500;
    while (Date.now() < end) {
      const found = await temporary.snapshotter.readFile({ parents: keys, folder: name }, 'd/secret', 100);
      seen.add(found?.toString().trim() ?? 'none');
    }
    expect(seen).toContain('inside');
    expect(seen).not.toContain('outside');
  } finally {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
});
