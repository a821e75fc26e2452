import { execFileSync } from 'node:child_process';
import { mkdirSync, readSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type SnapshotterFactory, temporarySnapshotter } from '../support/image/temporary-snapshotter.ts';
import {
  device,
  fifo,
  file,
  folder,
  hardlink,
  layerTar,
  opaque,
  symlink,
  whiteout,
} from '../support/layer/layer-tar.ts';
import { mountTree } from '../support/layer/mount-tree.ts';

/** Files of layers and stacks, read without a mount. */
export function readingTests(factory: SnapshotterFactory): void {
  test('files of a stack are found through symlinks, whiteouts and opaque folders', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([
      layerTar(
        folder('etc'),
        file('etc/passwd', 'root'),
        file('etc/gone', 'x'),
        folder('opt'),
        file('opt/hidden', 'x'),
        symlink('abs', '/etc/passwd'),
        symlink('up', '../../../../etc/passwd'),
        symlink('dir', 'etc'),
        symlink('loop', 'loop'),
        file('file', 'x'),
        file('n\xff', 'bytes'),
      ),
      layerTar(folder('etc'), whiteout('etc/gone'), folder('opt'), opaque('opt'), file('opt/new', 'new')),
      layerTar(symlink('chain', 'dir/../dir/./passwd'), folder('file2'), symlink('through', 'file/x')),
    ]);
    const read = async (path: string) =>
      (await temporary.snapshotter.readFile({ parents: keys }, path, 100))?.toString('latin1');
    for (const path of [
      'etc/passwd',
      'abs',
      'up',
      'dir/passwd',
      'chain',
      '/etc//./passwd',
      'etc/../etc/passwd',
    ]) {
      expect(await read(path), path).toBe('root');
    }
    expect(await read('opt/new')).toBe('new');
    expect(await read('n\xff')).toBe('bytes');
    for (const path of [
      'etc/gone',
      'opt/hidden',
      'none',
      'none/x',
      'etc',
      '',
      'file2',
      'through',
      'file/..',
    ]) {
      expect(await read(path), path).toBeUndefined();
    }
    await expect(read('loop')).rejects.toMatchObject({ code: 'hostile' });
  });

  test('modes of what is there, and the way there, without opening it', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([
      layerTar(
        folder('bin', { mode: 0o711 }),
        file('bin/sh', '', { mode: 0o4755 }),
        symlink('sh', '/bin/sh'),
        fifo('f'),
      ),
    ]);
    const paths = ['bin/sh', 'sh', 'bin', 'f', 'none', 'bin/sh/x', '../sh/../bin/no/thing'];
    expect(await temporary.snapshotter.look({ parents: keys }, paths)).toEqual([
      { mode: 0o104755, way: ['bin', 'bin/sh'] },
      { mode: 0o104755, way: ['sh', 'bin', 'bin/sh'] },
      { mode: 0o040711, way: ['bin'] },
      { mode: 0o010644, way: ['f'] },
      { mode: undefined, way: ['none'] },
      { mode: undefined, way: ['bin', 'bin/sh'] },
      { mode: undefined, way: ['sh', 'bin', 'bin/sh'] },
    ]);
  });

  test('a size limit holds', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([layerTar(file('f', 'x'.repeat(100)))]);
    expect(await temporary.snapshotter.readFile({ parents: keys }, 'f', 100)).toHaveLength(100);
    await expect(temporary.snapshotter.readFile({ parents: keys }, 'f', 99)).rejects.toMatchObject({
      code: 'hostile',
    });
  });

  test('fifos, devices and symlinks to the host are no files', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([
      layerTar(
        fifo('fifo'),
        device('zero', 1, 5),
        symlink('passwd', '/etc/passwd'),
        symlink('fd', '/proc/self/fd/0'),
      ),
    ]);
    for (const path of ['fifo', 'zero', 'passwd', 'fd']) {
      expect(await temporary.snapshotter.readFile({ parents: keys }, path, 1000)).toBeUndefined();
      await expect(temporary.snapshotter.openFile(keys[0]!, path)).rejects.toMatchObject({
        code: 'not-found',
      });
    }
  });

  test('what an active snapshot has written counts, its opaque folders too', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([
      layerTar(folder('a'), file('a/old', 'old'), folder('b'), file('b/old', 'old'), file('gone', 'x')),
    ]);
    const name = temporary.name();
    const active = await temporary.snapshotter.prepare(name, keys, [{ path: 'a/target', type: 'file' }]);
    const read = async (path: string) =>
      (await temporary.snapshotter.readFile({ parents: keys, folder: name }, path, 100))?.toString();
    await using mounted = await mountTree(active.mounts);
    writeFileSync(join(mounted.root, 'a/new'), 'new');
    execFileSync('rm', ['-r', join(mounted.root, 'b'), join(mounted.root, 'gone')]);
    mkdirSync(join(mounted.root, 'b'));
    symlinkSync('/etc/hostname', join(mounted.root, 'escape'));
    expect(await Promise.all(['a/old', 'a/new', 'b/old', 'gone', 'escape'].map(read))).toEqual([
      'old',
      'new',
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('files of one layer are opened, and nothing else', async () => {
    await using temporary = await temporarySnapshotter(factory);
    const { keys } = await temporary.stack([
      layerTar(
        folder('a'),
        file('a/f\xff', 'content'),
        hardlink('link', 'a/f\xff'),
        symlink('s', 'a'),
        file('b', 'below'),
      ),
      layerTar(whiteout('b'), file('c', 'above')),
    ]);
    for (const [path, content] of [
      ['a/f\xff', 'content'],
      ['link', 'content'],
    ] as const) {
      const opened = await temporary.snapshotter.openFile(keys[0]!, path);
      const bytes = Buffer.alloc(content.length);
      expect(readSync(opened.fd, bytes, 0, bytes.length, opened.start)).toBe(bytes.length);
      opened.close();
      expect(bytes.toString()).toBe(content);
    }
    for (const path of ['s/f\xff', 's', 'a', 'none', '../fs/b', '']) {
      await expect(temporary.snapshotter.openFile(keys[0]!, path), path).rejects.toMatchObject({
        code: 'not-found',
      });
    }
    for (const path of ['a/f\xff', 'b']) {
      await expect(temporary.snapshotter.openFile(keys[1]!, path), path).rejects.toMatchObject({
        code: 'not-found',
      });
    }
  });
}
