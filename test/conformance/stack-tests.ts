import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { type SnapshotterFactory, temporarySnapshotter } from '../support/image/temporary-snapshotter.ts';
import {
  detailed,
  device,
  file,
  folder,
  hardlink,
  layerTar,
  opaque,
  symlink,
  whiteout,
} from '../support/layer/layer-tar.ts';
import { listTree } from '../support/layer/list-tree.ts';
import { mountTree } from '../support/layer/mount-tree.ts';

const TIME = 't1700000000000000000';
const NO_ROOT = { withoutRoot: true };

function line(content: string, mode = '644', owner = '0:0'): string {
  return `file ${mode} ${owner} ${TIME} ${content.length}b ${digestOf(content).slice(7, 23)}`;
}

/** Several layers on each other. */
export function stackTests(factory: SnapshotterFactory): void {
  const merged = async (...tars: Buffer[]) => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack(tars);
    await using mounted = await mountTree(await temporary.snapshotter.view(keys));
    return await listTree(mounted.root, NO_ROOT);
  };
  const names = async (...tars: Buffer[]) => Object.keys(await merged(...tars));

  test('whiteouts remove files and folders of layers below', async () => {
    const base = layerTar(folder('a'), file('a/b'), folder('a/c'), file('a/c/d'), file('e'), file('keep'));
    expect(await names(base, layerTar(folder('a'), whiteout('a/c'), whiteout('e')))).toEqual([
      'a',
      'a/b',
      'keep',
    ]);
  });

  test('a whiteout of what is not there does nothing', async () => {
    expect(await names(layerTar(file('a')), layerTar(whiteout('b'), file('c')))).toEqual(['a', 'c']);
  });

  test('an opaque folder hides what lies below, wherever its mark stands', async () => {
    const base = layerTar(folder('a'), file('a/old'), folder('a/sub'), file('a/sub/old'));
    expect(await names(base, layerTar(folder('a'), opaque('a'), file('a/new')))).toEqual(['a', 'a/new']);
    expect(await names(base, layerTar(folder('a'), file('a/new'), opaque('a')))).toEqual(['a', 'a/new']);
    const sub = layerTar(folder('a'), folder('a/sub'), file('a/sub/new'), opaque('a'));
    expect(await names(base, sub)).toEqual(['a', 'a/sub', 'a/sub/new']);
  });

  test('an opaque root hides everything', async () => {
    expect(await names(layerTar(file('old')), layerTar(opaque(''), file('new')))).toEqual(['new']);
  });

  test('a whiteout and its own name in one layer: only what lies below goes', async () => {
    const base = layerTar(folder('a'), file('a/old'), file('b', 'old'));
    for (const parts of [
      [whiteout('a'), folder('a'), file('a/new'), whiteout('b'), file('b', 'new')],
      [folder('a'), file('a/new'), whiteout('a'), file('b', 'new'), whiteout('b')],
      [whiteout('a'), file('a/new'), whiteout('b'), file('b', 'new')],
    ]) {
      const tree = await merged(base, layerTar(...parts));
      expect(Object.keys(tree)).toEqual(['a', 'a/new', 'b']);
      expect(tree['b']).toBe(line('new'));
    }
  });

  test('types change from layer to layer', async () => {
    const base = layerTar(folder('a'), file('a/x'), file('b'), symlink('c', 'a'), folder('d'), file('d/x'));
    const top = layerTar(
      file('a', 'now a file'),
      folder('b'),
      file('b/y'),
      folder('c'),
      file('c/z'),
      symlink('d', 'b'),
    );
    expect(await names(base, top)).toEqual(['a', 'b', 'b/y', 'c', 'c/z', 'd']);
    const again = layerTar(folder('a'), file('a/back'));
    expect(await names(base, top, again)).toEqual(['a', 'a/back', 'b', 'b/y', 'c', 'c/z', 'd']);
  });

  test('a parent that is not listed keeps its owner, mode, time and attributes', async () => {
    const base = layerTar(
      detailed(folder('a', { mode: 0o2750, uid: 10, gid: 20 }), { mtime: '5.5', xattrs: { 'user.k': 'v' } }),
      file('a/old'),
    );
    const tree = await merged(base, layerTar(file('a/new', 'x'), file('fresh/deep/file')));
    expect(tree).toEqual({
      a: 'directory 2750 10:20 t5500000000 user.k=76',
      'a/new': line('x'),
      'a/old': line(''),
      fresh: 'directory 755 0:0 t0',
      'fresh/deep': 'directory 755 0:0 t0',
      'fresh/deep/file': line(''),
    });
  });

  test('a parent that is a symlink below is followed, inside the root', async () => {
    const base = layerTar(
      folder('usr'),
      folder('usr/lib', { mode: 0o711 }),
      symlink('lib', 'usr/lib'),
      symlink('abs', '/usr/../../usr/lib/./'),
      symlink('up', '../../../etc'),
    );
    const tree = await merged(base, layerTar(file('lib/a', 'a'), file('abs/b', 'b'), file('up/c', 'c')));
    expect(tree['usr/lib/a']).toBe(line('a'));
    expect(tree['usr/lib/b']).toBe(line('b'));
    expect(tree['etc/c']).toBe(line('c'));
    expect(tree['lib']).toMatch(/^symlink/);
    expect(tree['usr/lib']).toBe(`directory 711 0:0 ${TIME}`);
  });

  test('a parent that is a file is refused', async () => {
    await expect(merged(layerTar(file('a')), layerTar(file('a/b')))).rejects.toMatchObject({
      code: 'corrupt',
    });
    await expect(merged(layerTar(file('a'), file('a/b')))).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('a hard link to a file of a layer below shares its content, mode and inode', async () => {
    const base = layerTar(
      folder('a', { mode: 0o700 }),
      detailed(file('a/f\xff', 'content', { mode: 0o4755, uid: 3, gid: 4 }), {
        mtime: '9.25',
        xattrs: { 'user.k': 'v' },
      }),
      symlink('s', 'a'),
      device('null', 1, 3),
    );
    const top = layerTar(hardlink('link', 's/f\xff'), hardlink('s2', 's'), hardlink('null2', 'null'));
    const tree = await merged(base, top);
    const content = digestOf('content').slice(7, 23);
    expect(tree['a/f\xff']).toBe(`file 4755 3:4 t9250000000 7b ${content} x2 user.k=76`);
    expect(tree['link']).toBe(`file 4755 3:4 t9250000000 7b ${content} x2=a/f\xff user.k=76`);
    expect(tree['a']).toBe(`directory 700 0:0 ${TIME}`);
    expect(tree['s2']).toBe(`symlink 777 0:0 ${TIME} ->a x2=s`);
    expect(tree['null2']).toBe(`char 644 0:0 ${TIME} dev103 x2=null`);
  });

  test('hard links from layer to layer', async () => {
    const tree = await merged(
      layerTar(folder('a'), file('a/f', 'content')),
      layerTar(hardlink('g', 'a/f')),
      layerTar(hardlink('h', 'g')),
      layerTar(hardlink('a/i', 'h')),
    );
    expect(Object.keys(tree)).toEqual(['a', 'a/f', 'a/i', 'g', 'h']);
    for (const path of ['a/f', 'g', 'h', 'a/i']) expect(tree[path]).toContain('7b');
  });

  test('what stood in between in one layer has removed what lay below', async () => {
    const base = layerTar(folder('a'), file('a/old'));
    const top = layerTar(file('a', 'x'), folder('a'), file('a/new'));
    expect(await names(base, top)).toEqual(['a', 'a/new']);
  });

  test('marks in folders that are not there, or are files, do nothing', async () => {
    const base = layerTar(file('file'), folder('a'));
    const top = layerTar(
      whiteout('none/x'),
      opaque('none/y'),
      whiteout('file/x'),
      opaque('file'),
      opaque('a/b/c'),
    );
    expect(await names(base, top)).toEqual(['a', 'file']);
  });

  test('a leaning layer that stands in a stack twice waits for itself in no order', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const leaning = layerTar(file('a/x', 'again'));
    const { keys } = await temporary.stack([
      layerTar(folder('a', { mode: 0o700 })),
      leaning,
      layerTar(file('b')),
      leaning,
    ]);
    await using mounted = await mountTree(await temporary.snapshotter.view(keys));
    expect(Object.keys(await listTree(mounted.root, NO_ROOT))).toEqual(['a', 'a/x', 'b']);
  });

  test('a hard link to what a whiteout has removed is refused', async () => {
    const base = layerTar(file('a'));
    await expect(merged(base, layerTar(whiteout('a')), layerTar(hardlink('b', 'a')))).rejects.toMatchObject({
      code: 'corrupt',
    });
    await expect(merged(base, layerTar(whiteout('a'), hardlink('b', 'a')))).rejects.toMatchObject({
      code: 'corrupt',
    });
  });

  test('a layer that stands on its own is shared between stacks, one that leans is not', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const [one, two] = [layerTar(folder('a', { mode: 0o700 })), layerTar(folder('a', { mode: 0o711 }))];
    const own = layerTar(folder('a'), file('a/own'));
    const leaning = layerTar(file('a/leaning'));
    const first = await temporary.stack([one, own, leaning]);
    const second = await temporary.stack([two, own, leaning]);
    const third = await temporary.stack([leaning]);
    expect(second.keys[1]).toBe(first.keys[1]);
    expect(second.keys[2]).not.toBe(first.keys[2]);
    const fourth = await temporary.stack([two, leaning]);
    for (const { keys, diffIds } of [first, second, third, fourth]) {
      expect((await temporary.snapshotter.stat(diffIds))?.key).toBe(keys.at(-1));
    }
    await using mounted = await mountTree(await temporary.snapshotter.view(fourth.keys));
    expect((await listTree(mounted.root))['a']).toBe(`directory 711 0:0 ${TIME}`);
  });

  test('a layer that was the lowest one does its work elsewhere, too', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const removing = layerTar(whiteout('a'));
    await temporary.stack([removing]);
    const { keys, diffIds } = await temporary.stack([layerTar(file('a'), file('b')), removing]);
    expect((await temporary.snapshotter.stat(diffIds))?.key).toBe(keys[1]);
    await using mounted = await mountTree(await temporary.snapshotter.view(keys));
    expect(Object.keys(await listTree(mounted.root, NO_ROOT))).toEqual(['b']);
  });

  test('the root folder has the owner and mode that the topmost layer lists', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const root = folder('./', { mode: 0o1770, uid: 5, gid: 6 });
    const { keys } = await temporary.stack([
      layerTar(root, file('a')),
      layerTar(file('b')),
      layerTar(file('c')),
    ]);
    for (const count of [1, 2, 3]) {
      await using mounted = await mountTree(await temporary.snapshotter.view(keys.slice(0, count)));
      expect((await listTree(mounted.root))['']).toMatch(/^directory 1770 5:6 /);
    }
    await using active = await mountTree(
      (await temporary.snapshotter.prepare(temporary.name(), keys)).mounts,
    );
    expect((await listTree(active.root))['']).toMatch(/^directory 1770 5:6 /);
  });

  test('a layer may stand in a stack twice', async () => {
    const twice = layerTar(folder('a'), file('a/x', 'again'), whiteout('gone'));
    const tree = await merged(
      layerTar(file('gone'), folder('a'), file('a/base')),
      twice,
      layerTar(folder('a'), file('a/x', 'other'), whiteout('a/base'), file('gone')),
      twice,
      layerTar(file('top')),
    );
    expect(Object.keys(tree)).toEqual(['a', 'a/x', 'top']);
    expect(tree['a/x']).toBe(line('again'));
  });

  test('no layer, one layer and 127 layers can be mounted', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack(
      Array.from({ length: 127 }, (_, i) => layerTar(file(`f${i}`, `${i}`))),
    );
    for (const count of [0, 1, 2, 127]) {
      const parents = keys.slice(0, count);
      await using view = await mountTree(await temporary.snapshotter.view(parents));
      expect(Object.keys(await listTree(view.root, NO_ROOT))).toHaveLength(count);
      const targets = [{ path: 'dev', type: 'directory' }] as const;
      await using active = await mountTree(
        (await temporary.snapshotter.prepare(temporary.name(), parents, targets)).mounts,
      );
      expect(Object.keys(await listTree(active.root, NO_ROOT))).toHaveLength(count + 1);
    }
  });
}
