import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { type ApplyRequest, canCleanUp, type SnapshotKey } from '../../src/snapshotter/snapshotter.ts';
import { type SnapshotterFactory, temporarySnapshotter } from '../support/image/temporary-snapshotter.ts';
import {
  detailed,
  device,
  fifo,
  file,
  folder,
  hardlink,
  layerTar,
  symlink,
} from '../support/layer/layer-tar.ts';
import { listTree } from '../support/layer/list-tree.ts';
import { mountTree } from '../support/layer/mount-tree.ts';
import { makeTree } from '../support/layer/sample-tree.ts';

const NO_ROOT = { withoutRoot: true };

/** One layer by itself. */
export function applyTests(factory: SnapshotterFactory): void {
  test('everything that a layer can hold comes out as GNU tar took it in', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const tree = temporary.name();
    mkdirSync(tree, { recursive: true });
    makeTree(tree);
    const path = temporary.name();
    execFileSync('tar', [
      ...['--create', '--format=pax', '--sparse', '--xattrs', '--xattrs-include=*'],
      ...['--file', path, '--directory', tree, '.'],
    ]);
    const { keys } = await temporary.stack([readFileSync(path)]);
    await using mounted = await mountTree(await temporary.snapshotter.view(keys));
    expect(await listTree(mounted.root)).toEqual(await listTree(tree));
  });

  test('holes stay holes', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const [path, tarPath] = [temporary.name(), temporary.name()];
    mkdirSync(path);
    execFileSync('truncate', ['-s', '64M', join(path, 'sparse')]);
    execFileSync('sh', [
      '-c',
      `printf data | dd of="$0" bs=1M seek=10 conv=notrunc status=none`,
      join(path, 'sparse'),
    ]);
    execFileSync('tar', ['--create', '--sparse', '--file', tarPath, '--directory', path, 'sparse']);
    const { keys } = await temporary.stack([readFileSync(tarPath)]);
    await using mounted = await mountTree(await temporary.snapshotter.view(keys));
    const [blocks, size] = execFileSync('stat', ['-c', '%b %s', join(mounted.root, 'sparse')], {
      encoding: 'utf8',
    })
      .trim()
      .split(' ')
      .map(Number);
    expect(size).toBe(64 * 1024 * 1024);
    expect(blocks).toBeLessThan(64);
  });

  test('compressed layers give the same', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const tar = layerTar(file('a', 'x'.repeat(100_000)));
    const diffId = digestOf(tar);
    for (const [compression, bytes] of [
      ['gzip', gzipSync(tar)],
      ['zstd', zstdCompressSync(tar)],
    ] as const) {
      const source = { ...temporary.source(bytes), compression };
      const key = await temporary.snapshotter.apply({ parents: [], diffIds: [diffId], source });
      expect(await temporary.snapshotter.readFile({ parents: [key] }, 'a', 100_000)).toHaveLength(100_000);
      await temporary.snapshotter.remove(key);
    }
  });

  test('nodes, links and times of later entries win', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const tar = layerTar(
      folder('a', { mode: 0o700 }),
      file('a/b', 'first'),
      folder('a', { mode: 0o2775, uid: 7, gid: 8, mtime: 5 }),
      file('a/b', 'second', { mode: 0o4711, uid: 1, gid: 2 }),
      hardlink('a/c', 'a/b'),
      fifo('a/pipe', { mode: 0o620, gid: 5 }),
      device('a/null', 1, 3, { mode: 0o666 }),
      hardlink('a/null2', 'a/null'),
      symlink('file', 'a'),
      file('file', 'was a symlink'),
      file('folder', 'was a file'),
      folder('folder'),
      detailed(symlink('exact', '/nowhere'), { mtime: '12.000000345' }),
      detailed(file('exact-file', 'x'), { mtime: '-3.5', xattrs: { 'user.k': 'v' } }),
      detailed(folder('exact-folder'), { mtime: '77.123456789' }),
      file('exact-folder/x', ''),
    );
    const { keys } = await temporary.stack([tar]);
    await using mounted = await mountTree(await temporary.snapshotter.view(keys));
    const time = 't1700000000000000000';
    const second = digestOf('second').slice(7, 23);
    const empty = digestOf('').slice(7, 23);
    expect(await listTree(mounted.root, NO_ROOT)).toEqual({
      a: 'directory 2775 7:8 t5000000000',
      'a/b': `file 4711 1:2 ${time} 6b ${second} x2`,
      'a/c': `file 4711 1:2 ${time} 6b ${second} x2=a/b`,
      'a/null': `char 666 0:0 ${time} dev103 x2`,
      'a/null2': `char 666 0:0 ${time} dev103 x2=a/null`,
      'a/pipe': `fifo 620 0:5 ${time}`,
      exact: 'symlink 777 0:0 t12000000345 ->/nowhere',
      'exact-file': `file 644 0:0 t-3500000000 1b ${digestOf('x').slice(7, 23)} user.k=76`,
      'exact-folder': 'directory 755 0:0 t77123456789',
      'exact-folder/x': `file 644 0:0 ${time} 0b ${empty}`,
      file: `file 644 0:0 ${time} 13b ${digestOf('was a symlink').slice(7, 23)}`,
      folder: `directory 755 0:0 ${time}`,
    });
  });

  test('a folder of exact time keeps it with exact files in it', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([
      layerTar(
        detailed(folder('a\xff'), { mtime: '7.000000007' }),
        folder('a\xff/b'),
        detailed(file('a\xff/b/c', 'content'), { mtime: '9.999999999' }),
        detailed(fifo('a\xff/b/f'), { mtime: '1.000000001' }),
      ),
    ]);
    await using mounted = await mountTree(await temporary.snapshotter.view(keys));
    expect(await listTree(mounted.root, NO_ROOT)).toEqual({
      'a\xff': 'directory 755 0:0 t7000000007',
      'a\xff/b': 'directory 755 0:0 t1700000000000000000',
      'a\xff/b/c': `file 644 0:0 t9999999999 7b ${digestOf('content').slice(7, 23)}`,
      'a\xff/b/f': 'fifo 644 0:0 t1000000001',
    });
  });

  test('a wrong diffID is refused and leaves nothing', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const right = layerTar(file('a', 'right'));
    const diffIds = [digestOf('something else')];
    const request = { parents: [], diffIds, source: temporary.source(right) };
    await expect(temporary.snapshotter.apply(request)).rejects.toMatchObject({ code: 'digest-mismatch' });
    expect(await temporary.snapshotter.stat(diffIds)).toBeUndefined();
    expect(await Array.fromAsync(temporary.snapshotter.list())).toEqual([]);
    const found = execFileSync('find', [temporary.paths.root, '-name', 'a'], { encoding: 'utf8' });
    expect(found).toBe('');
  });

  test('a layer is unpacked once, by however many at once', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const other = factory(temporary.paths);
    const tar = layerTar(...Array.from({ length: 300 }, (_, i) => file(`f${i}`, 'x')));
    let unpacked = 0;
    const onBytes = () => {
      unpacked++;
    };
    const request = { parents: [], diffIds: [digestOf(tar)], source: temporary.source(tar), onBytes };
    const keys = await Promise.all(
      [temporary.snapshotter, other, temporary.snapshotter].map((each) => each.apply(request)),
    );
    expect(new Set(keys).size).toBe(1);
    expect(unpacked).toBe(1);
    expect(await temporary.snapshotter.apply(request)).toBe(keys[0]);
    expect(unpacked).toBe(1);
    expect(await Array.fromAsync(temporary.snapshotter.list())).toHaveLength(1);
  });

  test('the size of a layer is told by whoever has read it whole, and never by an attempt that was given up', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const other = factory(temporary.paths);
    const lower = layerTar(folder('a'), file('a/b', 'below'));
    // What comes before the link is read before it is known that the layer leans on the one below.
    const upper = layerTar(file('c', Buffer.alloc(4_000_000, 'c')), hardlink('d', 'a/b'), file('e', 'e'));
    const diffIds = [lower, upper].map((tar) => digestOf(tar));
    const told: [string, number][] = [];
    const request = (name: string, parents: ApplyRequest['parents']): ApplyRequest => ({
      parents,
      diffIds,
      source: temporary.source(upper),
      onWhole: (sizeBytes) => told.push([name, sizeBytes]),
    });
    const below = { parents: [], diffIds: diffIds.slice(0, 1), source: temporary.source(lower) };
    const lowerKey = await temporary.snapshotter.apply(below);
    const { promise: parent, resolve: go } = Promise.withResolvers<string>();
    const late = temporary.snapshotter.apply(request('late', [parent as Promise<SnapshotKey>]));
    const key = await other.apply(request('quick', [lowerKey]));
    go(lowerKey);
    expect(await late).toBe(key);
    expect(told).toEqual([['quick', upper.length]]);
  });

  test('an abort leaves nothing', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const tar = layerTar(...Array.from({ length: 40 }, (_, i) => file(`f${i}`, Buffer.alloc(500_000, i))));
    const controller = new AbortController();
    const request = {
      parents: [],
      diffIds: [digestOf(tar)],
      source: temporary.source(tar),
      signal: controller.signal,
      onBytes: () => controller.abort(),
    };
    await expect(temporary.snapshotter.apply(request)).rejects.toMatchObject({ code: 'aborted' });
    expect(execFileSync('find', [temporary.paths.root, '-name', 'f*'], { encoding: 'utf8' })).not.toMatch(
      /\/f\d/,
    );
  });

  test('a layer file that is not there is told', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const source = { path: join(temporary.paths.root, 'none'), compression: 'gzip', sizeBytes: 10 } as const;
    const request = { parents: [], diffIds: [digestOf('x')], source };
    await expect(temporary.snapshotter.apply(request)).rejects.toMatchObject({ code: 'not-found' });
  });

  test('what is listed, removed and cleaned up', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys, diffIds } = await temporary.stack([
      layerTar(file('a', 'four'), hardlink('b', 'a')),
      layerTar(file('\xff', 'x')),
    ]);
    const info = await temporary.snapshotter.stat(diffIds.slice(0, 1));
    expect(info).toMatchObject({ key: keys[0], diffId: diffIds[0], sizeBytes: 4 });
    expect(Math.abs(info!.createdAt.getTime() - Date.now())).toBeLessThan(60_000);
    await temporary.snapshotter.remove(keys[1]!);
    await temporary.snapshotter.remove(keys[1]!);
    if (canCleanUp(temporary.snapshotter)) await temporary.snapshotter.cleanup();
    expect((await Array.fromAsync(temporary.snapshotter.list())).map(({ key }) => key)).toEqual([keys[0]]);
    expect(await temporary.snapshotter.stat(diffIds)).toBeUndefined();
    await expect(temporary.snapshotter.view(keys)).rejects.toMatchObject({ code: 'not-found' });
  });
}
