import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, readlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { MountTarget } from '../../src/snapshotter/snapshotter.ts';
import { type SnapshotterFactory, temporarySnapshotter } from '../support/image/temporary-snapshotter.ts';
import { device, fifo, file, folder, layerTar, symlink } from '../support/layer/layer-tar.ts';
import { listTree } from '../support/layer/list-tree.ts';
import { mountTree } from '../support/layer/mount-tree.ts';

const TARGETS: readonly MountTarget[] = [
  { path: 'dev', type: 'directory' },
  { path: 'proc', type: 'directory' },
  { path: 'etc/hosts', type: 'file' },
  { path: 'etc/hostname', type: 'file' },
  { path: 'etc/resolv.conf', type: 'file' },
  { path: 'run/secrets/deep/er', type: 'file' },
  { path: 'data\xff', type: 'directory' },
];

/** What a container's mounts go over. */
export function targetTests(factory: SnapshotterFactory): void {
  test.each([
    ['nothing', layerTar()],
    [
      'plain ones',
      layerTar(folder('dev'), folder('etc'), file('etc/hosts', 'text'), folder('proc'), folder('data\xff')),
    ],
    [
      'symlinks',
      layerTar(
        symlink('dev', '/tmp'),
        symlink('etc', '/root'),
        symlink('proc', 'proc'),
        symlink('run', '../../..'),
        symlink('data\xff', 'nowhere'),
      ),
    ],
    [
      'symlinks, fifos and devices in their folders',
      layerTar(
        folder('etc'),
        symlink('etc/hosts', '/etc/shadow'),
        fifo('etc/hostname'),
        device('etc/resolv.conf', 1, 5),
        fifo('dev'),
        file('proc', 'x'),
        folder('run'),
        symlink('run/secrets', '/etc'),
      ),
    ],
    [
      'folders in place of files',
      layerTar(folder('etc'), folder('etc/hosts'), file('etc/hosts/x'), file('run')),
    ],
  ])('targets are plain whatever the image has: %s', async (_, image) => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([image]);
    const name = temporary.name();
    const active = await temporary.snapshotter.prepare(name, keys, TARGETS);
    {
      await using mounted = await mountTree(active.mounts);
      for (const { path, type } of TARGETS) {
        const stat = lstatSync(Buffer.from(`${mounted.root}/${path}`, 'latin1'));
        expect(type === 'file' ? stat.isFile() && stat.size === 0 : stat.isDirectory(), path).toBe(true);
      }
    }
    const diff = await temporary.snapshotter.diff(name, { tarPath: temporary.name() });
    expect(diff.entries).toBe(0);
  });

  test('folders above targets keep the owner, mode and time of the image', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([
      layerTar(folder('etc', { mode: 0o2751, uid: 8, gid: 9, mtime: 1000 }), file('etc/mine', 'x')),
      layerTar(folder('dev', { mode: 0o1777, uid: 5 })),
    ]);
    const active = await temporary.snapshotter.prepare(temporary.name(), keys, TARGETS);
    await using mounted = await mountTree(active.mounts);
    const tree = await listTree(mounted.root);
    expect(tree['etc']).toBe('directory 2751 8:9 t1000000000000');
    expect(tree['etc/mine']).toMatch(/^file 644/);
    expect(tree['dev']).toMatch(/^directory 1777 5:0/);
    expect(tree['run/secrets']).toMatch(/^directory 755 0:0/);
  });

  test('what is written beside targets is a change, the targets are none', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys, diffIds } = await temporary.stack([
      layerTar(folder('etc'), file('etc/hosts', 'of the image')),
    ]);
    const [name, tarPath] = [temporary.name(), temporary.name()];
    {
      await using mounted = await mountTree(
        (await temporary.snapshotter.prepare(name, keys, TARGETS)).mounts,
      );
      writeFileSync(join(mounted.root, 'etc/new'), 'new');
      // As a runtime does that makes sure of its targets.
      execFileSync('touch', [join(mounted.root, 'etc/hosts'), join(mounted.root, 'dev')]);
    }
    const { diffId } = await temporary.snapshotter.diff(name, { tarPath });
    expect(execFileSync('tar', ['tf', tarPath], { encoding: 'utf8' })).toBe('etc/\netc/new\n');
    const key = await temporary.snapshotter.commit(name, diffIds, diffId);
    await using mounted = await mountTree(await temporary.snapshotter.view([...keys, key]));
    const tree = await listTree(mounted.root, { withoutRoot: true });
    expect(Object.keys(tree)).toEqual(['etc', 'etc/hosts', 'etc/new']);
    expect(tree['etc/hosts']).toContain('12b');
  });

  test('other targets at the next start, over what the container left', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([layerTar(folder('etc'))]);
    const name = temporary.name();
    {
      await using mounted = await mountTree((await temporary.snapshotter.prepare(name, keys)).mounts);
      execFileSync('sh', [
        '-c',
        'cd "$0"; ln -s /tmp dev; mkdir etc/hosts; ln -s /etc/shadow etc/hostname; mkfifo run; rmdir etc/hosts; ln -s x etc/hosts; mkdir -p etc/resolv.conf/x; mkdir -p "$(printf "data\\377")" odd; ln -s x "$(printf "odd/f\\377")"; mkdir -p "$(printf "odd/d\\377")/x"',
        mounted.root,
      ]);
    }
    const odd = ['odd/f\xff', 'odd/d\xff'].map((path) => ({ path, type: 'file' }) as const);
    const targets = [...TARGETS, ...odd];
    await using mounted = await mountTree((await temporary.snapshotter.prepare(name, keys, targets)).mounts);
    for (const { path, type } of targets) {
      const stat = lstatSync(Buffer.from(`${mounted.root}/${path}`, 'latin1'));
      expect(type === 'file' ? stat.isFile() : stat.isDirectory(), path).toBe(true);
    }
  });

  test('a symlink stands over what the image has, and under what the container puts there', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([layerTar(folder('etc'), folder('etc/link'), file('etc/link/x'))]);
    const name = temporary.name();
    const targets = [{ path: 'etc/link', type: 'symlink', target: '/proc/mounts' }] as const;
    {
      await using mounted = await mountTree(
        (await temporary.snapshotter.prepare(name, keys, targets)).mounts,
      );
      const link = join(mounted.root, 'etc/link');
      expect(readlinkSync(link)).toBe('/proc/mounts');
      unlinkSync(link);
      writeFileSync(link, 'own');
    }
    await using mounted = await mountTree((await temporary.snapshotter.prepare(name, keys, targets)).mounts);
    expect(readFileSync(join(mounted.root, 'etc/link'), 'utf8')).toBe('own');
  });

  test('targets that could not be made leave none that pass for the ones before', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const name = temporary.name();
    await temporary.snapshotter.prepare(name, [], TARGETS);
    const impossible = ['a', 'a/b'].map((path) => ({ path, type: 'file' }) as const);
    await expect(temporary.snapshotter.prepare(name, [], impossible)).rejects.toThrow();
    await using mounted = await mountTree((await temporary.snapshotter.prepare(name, [], TARGETS)).mounts);
    expect(lstatSync(join(mounted.root, 'etc/hosts')).isFile()).toBe(true);
  });
}
