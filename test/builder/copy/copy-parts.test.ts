import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasWildcard } from '../../../src/builder/copy/glob.ts';
import { type LinkEntry, resolvePath } from '../../../src/builder/source/resolve.ts';
import { parseMode } from '../../../src/builder/target/mode.ts';
import { temporaryFolder } from '../../support/builder/copy-run.ts';
import { RANDOM_CASES } from '../../support/program/random-cases.ts';

describe('paths in a tree', () => {
  const tree = new Map<string, LinkEntry>([
    ['a', { type: 'directory' }],
    ['a/b', { type: 'directory' }],
    ['a/b/abs', { type: 'symlink', target: '/c' }],
    ['a/b/up', { type: 'symlink', target: '../../c' }],
    ['a/b/out', { type: 'symlink', target: '../../../../../c/f' }],
    ['a/b/dot', { type: 'symlink', target: './//.' }],
    ['a/b/gone', { type: 'symlink', target: 'x/../y' }],
    ['a/b/empty', { type: 'symlink', target: '' }],
    ['c', { type: 'directory' }],
    ['c/f', { type: 'file' }],
    ['l1', { type: 'symlink', target: 'l2' }],
    ['l2', { type: 'symlink', target: 'a/b/abs/f' }],
    ['self', { type: 'symlink', target: 'self/x' }],
  ]);
  const look = (path: string) => tree.get(path);

  test.each([
    ['', ''],
    ['/', ''],
    ['a//b/./', 'a/b'],
    ['a/b/abs', 'c'],
    ['a/b/abs/f', 'c/f'],
    ['a/b/up/f', 'c/f'],
    ['a/b/out', 'c/f'],
    ['a/b/dot', 'a/b'],
    ['a/b/dot/abs/f', 'c/f'],
    ['a/b/gone', 'a/b/y'],
    ['a/b/gone/z', 'a/b/y/z'],
    ['a/b/empty', 'a/b'],
    ['a/b/abs/../x', 'x'],
    ['../../a', 'a'],
    ['new/deep/../er', 'new/er'],
    ['new/../a/b/abs', 'c'],
    ['c/f/x', 'c/f/x'],
    ['l1', 'c/f'],
  ])('%s leads to %s', (path, real) => expect(resolvePath(look, path)).toBe(real));

  test('the last part stays where it is not to be followed', () => {
    expect(resolvePath(look, 'a/b/abs', false)).toBe('a/b/abs');
    expect(resolvePath(look, 'a/b/abs/', false)).toBe('a/b/abs');
    expect(resolvePath(look, 'a/b/abs/f', false)).toBe('c/f');
    expect(resolvePath(look, 'l1', false)).toBe('l1');
  });

  test('a circle is told', () => {
    expect(() => resolvePath(look, 'self')).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
  });
});

test.each([
  ['a*', true],
  ['a?b', true],
  ['x/[ab]', true],
  ['a\\*b', false],
  ['a\\\\*b', true],
  ['a]', false],
  ['', false],
])('%j is a pattern: %s', (text, expected) => expect(hasWildcard(text)).toBe(expected));

describe('--chmod', () => {
  const parse = (text: string) => parseMode('Dockerfile', { text, at: { line: 1, column: 1 } });

  test('does to the permissions of files and folders what chmod(1) does', () => {
    using folder = temporaryFolder();
    const file = join(folder.path, 'f');
    const dir = join(folder.path, 'd');
    writeFileSync(file, '');
    mkdirSync(dir);
    const applied = ({ mode, before }: { mode: string; before: number }) => {
      chmodSync(file, before);
      chmodSync(dir, before);
      const args = ['-c', 'umask 0; exec chmod -- "$@"', 'sh', mode, file, dir];
      const { status, stderr } = spawnSync('sh', args);
      expect(status, `${mode}: ${stderr}`).toBe(0);
      const octal = (bits: number) => (bits & 0o777).toString(8);
      const wanted = [statSync(file).mode, statSync(dir).mode].map(octal);
      const { apply } = parse(mode);
      expect([apply(before, false), apply(before, true)].map(octal)).toEqual(wanted);
    };
    const letters = (of: string, most: number) =>
      fc.array(fc.constantFrom(...of), { maxLength: most }).map((each) => each.join(''));
    const what = fc.oneof(
      { weight: 4, arbitrary: letters('rwx', 3) },
      { weight: 1, arbitrary: fc.constantFrom('u', 'g', 'o') },
    );
    const clause = fc.tuple(letters('ugoa', 2), fc.constantFrom('+', '-', '='), what);
    const mode = fc
      .array(
        clause.map((parts) => parts.join('')),
        { minLength: 1, maxLength: 3 },
      )
      .map((clauses) => clauses.join(','));
    const change = fc.record({ mode, before: fc.nat(0o7777) });
    fc.assert(fc.property(change, applied), { ...RANDOM_CASES, numRuns: 120 });
  });

  test.each([
    // Whom a clause names decides which of the upper bits `=` takes away.
    ['u=rw', 0o7777, 0o3677],
    ['g=rw', 0o7777, 0o5767],
    ['o=rw', 0o7777, 0o7776],
    ['a=rw', 0o7777, 0o1666],
    ['=rw', 0o7777, 0o1666],
    ['ug=', 0o7777, 0o1007],
    ['u=rwxs', 0o0000, 0o4700],
    ['g=s', 0o7777, 0o7707],
    ['a=s', 0o7777, 0o7000],
    ['o=s', 0o7777, 0o7770],
    ['o+s', 0o0644, 0o0644],
    // The sticky bit is its own: `=t` names nothing else where nobody is named.
    ['=t', 0o0644, 0o1644],
    ['+t', 0o0644, 0o1644],
    ['+rt', 0o0000, 0o1000],
    ['a=rt', 0o7777, 0o1444],
    ['o=t', 0o7777, 0o7770],
    ['o+t', 0o0644, 0o0644],
    ['a-t', 0o1644, 0o0644],
    ['u-t', 0o1644, 0o0644],
    ['o-t', 0o1644, 0o1644],
    // Copies are of permissions alone.
    ['g=u', 0o6750, 0o6770],
    ['=u', 0o7700, 0o7777],
    ['o=ug', 0o0640, 0o0644],
    ['g=ru', 0o0300, 0o0330],
    ['g=ur', 0o0300, 0o0340],
    ['u=ug', 0o4765, 0o4665],
    ['go-u', 0o0576, 0o0522],
    ['g=u-w', 0o2755, 0o2755],
    // X goes by what the file was before.
    ['a-x,u+X', 0o0755, 0o0744],
    ['u+x,go+X', 0o0644, 0o0744],
  ])('%s does to a file what it does in BuildKit', (mode, before, after) => {
    const octal = (bits: number) => bits.toString(8);
    expect(octal(parse(mode).apply(before, false))).toBe(octal(after));
  });

  test('a folder loses set-id bits as a file does, and always has X', () => {
    expect(parse('u=rwX,g=rX,o=').apply(0o7777, true)).toBe(0o1750);
    expect(parse('a=rX').apply(0o2000, true)).toBe(0o0555);
  });

  test('an octal mode is all twelve bits', () => {
    expect(parse('0').apply(0o7777, true)).toBe(0);
    expect(parse('07755').apply(0, false)).toBe(0o7755);
    expect([parse('644').forMadeFolders, parse('4755').forMadeFolders, parse('u+x').forMadeFolders]).toEqual([
      0o644,
      0o755,
      undefined,
    ]);
  });

  test.each(['', '8', '10000', '0x1', 'rwx', 'u', 'u+q', 'u+r,', 'z+r', '-1', '64a', 'u=uq', ',u+x', '+x w'])(
    'refuses %j',
    (text) => {
      expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'syntax' }));
    },
  );
});
