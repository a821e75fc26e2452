import { describe, expect, test } from 'vitest';
import { createIndexBuilder, decodeIndex, type LayerIndex } from '../../src/layer/index/layer-index.ts';
import type { LayerChange } from '../../src/layer/layer-change.ts';
import { mergeIndexes } from '../../src/layer/merge/merged-tree.ts';

/**
 * A layer in short: `d/` a folder, `f` a file, `l -> t` a symlink, `h = t` a hard link, `-f` a whiteout, `!d` an
 * opaque folder.
 */
function layer(text: string): LayerIndex {
  const builder = createIndexBuilder();
  for (const word of text.split(', ').filter((part) => part !== '')) builder.add(change(word));
  return decodeIndex(builder.finish());
}

const common = { mode: 0o644, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 } };

function change(word: string): LayerChange {
  const [left, arrow, right] = word.split(' ') as [string, string?, string?];
  if (arrow === '->') return { type: 'symlink', path: left, ...common, target: right! };
  if (arrow === '=') return { type: 'hardlink', path: left, ...common, target: right! };
  if (left.startsWith('-')) return { type: 'whiteout', path: left.slice(1) };
  if (left.startsWith('!')) return { type: 'opaque', path: left.slice(1) };
  if (left.endsWith('/')) return { type: 'directory', path: left.slice(0, -1), ...common };
  return { type: 'file', path: left, ...common, sizeBytes: 1, storedBytes: 1, dataOffset: 0 };
}

/** The whole tree in short: each path with its layer, `?` where no layer lists it. */
function show(...layers: string[]): string {
  const tree = mergeIndexes(layers.map(layer));
  return [...tree.walk()]
    .map(({ path, entry, layer }) => `${path}:${entry === undefined ? '?' : layer}`)
    .join(' ');
}

describe('what a stack shows', () => {
  test.each([
    ['nothing', [''], ''],
    ['one layer, sorted in each folder', ['b, a.x, a/, a/z, a/b'], 'a:0 a/b:0 a/z:0 a.x:0 b:0'],
    ['folders that are not listed', ['a/b/c'], 'a:? a/b:? a/b/c:0'],
    ['an upper file hides a lower one', ['f', 'f'], 'f:1'],
    ['an upper folder is seen over a lower one', ['d/, d/a', 'd/, d/b'], 'd:1 d/a:0 d/b:1'],
    ['a folder is like the highest layer that lists it', ['d/', 'd/, d/a', 'd/b'], 'd:1 d/a:1 d/b:2'],
    ['a whiteout', ['a, b', '-a'], 'b:0'],
    ['a whiteout of a folder', ['d/, d/a, d/e/f, c', '-d'], 'c:0'],
    ['a whiteout spares its own layer', ['d/, d/a', '-d, d/, d/b'], 'd:1 d/b:1'],
    ['a whiteout spares its own layer, in any order', ['d/, d/a', 'd/, d/b, -d'], 'd:1 d/b:1'],
    ['a whiteout and a file', ['a', '-a, a'], 'a:1'],
    ['a whiteout spares higher layers', ['a', '-a', 'a'], 'a:2'],
    ['a whiteout in a folder that is not listed', ['d/, d/a, d/b', '-d/a'], 'd:0 d/b:0'],
    ['an opaque folder', ['d/, d/a, e', 'd/, !d, d/b'], 'd:1 d/b:1 e:0'],
    ['an opaque folder that is not listed', ['d/, d/a', '!d, d/b'], 'd:? d/b:1'],
    ['an opaque folder deep down', ['d/, d/e/, d/e/f, d/g', '!d/e'], 'd:0 d/e:? d/g:0'],
    ['an opaque folder above', ['d/, d/e/, d/e/f', 'd/, !d, d/e/g'], 'd:1 d/e:? d/e/g:1'],
    ['an opaque root', ['a, d/b', '!, c'], 'c:1'],
    ['a file over a folder', ['d/, d/a', 'd'], 'd:1'],
    ['a folder over a file', ['d', 'd/, d/a'], 'd:1 d/a:1'],
    ['a folder over a file over a folder', ['d/, d/a', 'd', 'd/, d/b'], 'd:2 d/b:2'],
    ['a folder over a layer that had one, then a file', ['d/a, d', 'd/, d/b'], 'd:1 d/b:1'],
    ['a folder after a whiteout of the file', ['d/, d/a', '-d', 'd/b'], 'd:? d/b:2'],
    ['a symlink over a folder', ['d/, d/a', 'd -> e'], 'd:1'],
    ['the last of several in one layer', ['a/, a/b', 'x -> y, x'], 'a:0 a/b:0 x:1'],
    ['a file over a folder within a layer', ['a/, a/b, a'], 'a:0'],
    ['the root listed', ['/, a'], 'a:0'],
  ])('%s', (_name, layers, wanted) => {
    expect(show(...layers)).toBe(wanted);
  });
});

describe('lookup', () => {
  const tree = mergeIndexes([
    layer(
      'usr/, usr/bin/, usr/bin/sh, bin -> usr/bin, abs -> /usr/bin/sh, up -> ../../../usr, loop -> loop2, loop2 -> loop',
    ),
    layer(
      'usr/bin/ls, h = usr/bin/sh, h2 = h, h3 = nothing, h4 = usr, dot -> ., chain -> bin/../bin/sh, c1 = c2, c2 = c1',
    ),
    layer('-usr/bin/sh, usr/lib/, usr/lib/so, hs = abs'),
  ]);
  const find = (path: string, followLast?: boolean) => {
    const found = tree.lookup(path, followLast === undefined ? {} : { followLast });
    return found === undefined ? undefined : `${found.path} ${found.entry?.type ?? '?'} ${found.layer}`;
  };

  test('through symlinks, inside the root', () => {
    expect(find('bin/ls')).toBe('usr/bin/ls file 1');
    expect(find('up/bin/ls')).toBe('usr/bin/ls file 1');
    expect(find('dot/dot/bin/ls')).toBe('usr/bin/ls file 1');
    expect(find('bin')).toBe('usr/bin directory 0');
    expect(find('bin', false)).toBe('bin symlink 0');
    expect(find('')).toBe(' ? 0');
    expect(find('usr/../../../usr')).toBe('usr directory 0');
  });

  test('what is not there', () => {
    expect(find('bin/sh')).toBeUndefined();
    expect(find('abs')).toBeUndefined();
    expect(find('usr/bin/ls/x')).toBeUndefined();
    expect(find('chain')).toBeUndefined();
    expect(tree.children('usr/bin/ls')).toEqual([]);
    expect(tree.children('bin')).toEqual([]);
  });

  test('a hard link is its file, of its own layer or of those below', () => {
    expect(find('h')).toBe('h file 0');
    expect(tree.lookup('h')!.entry!.path).toBe('usr/bin/sh');
    expect(find('h2')).toBe('h2 file 0');
    expect(find('hs', false)).toBe('hs symlink 0');
    expect(find('h3')).toBeUndefined();
    expect(find('h4')).toBeUndefined();
    expect(find('c1')).toBeUndefined();
    expect(tree.children('').map(({ path }) => path)).not.toContain('h3');
  });

  test('too many symlinks', () => {
    expect(() => find('loop')).toThrow(/more than 40 symlinks/);
    expect(() => find('loop/x', false)).toThrow(/more than 40 symlinks/);
    expect(find('loop', false)).toBe('loop symlink 0');
  });

  test('where something is to be made', () => {
    expect(tree.resolve('bin/new')).toBe('usr/bin/new');
    expect(tree.resolve('bin')).toBe('bin');
    expect(tree.resolve('bin/new/deep')).toBe('usr/bin/new/deep');
    expect(tree.resolve('no/such/folder')).toBe('no/such/folder');
    expect(tree.resolve('up/new')).toBe('usr/new');
  });
});
