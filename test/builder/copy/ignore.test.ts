import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseIgnoreFile } from '../../../src/builder/context/ignore-file.ts';
import { FolderContext } from '../../../src/builder/context/local-folder.ts';
import { parsePattern } from '../../../src/builder/source/pattern.ts';
import { isOcitsError } from '../../../src/errors.ts';
import { temporaryFolder } from '../../support/builder/copy-run.ts';
import { IGNORE_CASES, makeIgnoreContext } from '../../support/builder/ignore-fixture.ts';

const RECORDED = JSON.parse(
  readFileSync(new URL('../../../testdata/copy/dockerignore.json', import.meta.url), 'utf8'),
) as Readonly<Record<string, readonly string[] | 'error'>>;

const REINCLUDED = 'later ones bring back what a wildcard behind ! matches, however deep';

/** Where ours is what a later BuildKit does, and not the recorded one. */
const LATER: Readonly<
  Record<string, { readonly why: string; readonly more?: string[]; readonly less?: string[] }>
> = {
  '**.md': {
    why: 'moby/patternmatcher takes ** in front of plain text as a suffix',
    less: [
      'README.md',
      'b.md',
      'dir/b.md',
      'dir/sub/c.md',
      'dir/sub/deep/a.md',
      'node_modules/m/README.md',
      'ü.md',
    ],
  },
  '*\n!**/*.md': {
    why: REINCLUDED,
    more: ['dir/b.md', 'dir/sub/c.md', 'dir/sub/deep/a.md', 'node_modules/m/README.md'],
  },
  '*\n!*/a': { why: REINCLUDED, more: ['dir/a', 'dir2/a'] },
  '**\n!**/*.ts': { why: REINCLUDED, more: ['src/a.test.ts', 'src/a.ts', 'src/x/b.test.ts'] },
  'dir/**\n!dir/**/c.md': { why: REINCLUDED, more: ['dir/sub/c.md'] },
};

function filesIn(source: FolderContext, folder = ''): string[] {
  return source.children(folder).flatMap((entry) => {
    return entry.type === 'directory'
      ? filesIn(source, entry.path)
      : [Buffer.from(entry.path, 'latin1').toString()];
  });
}

describe('what BuildKit ignores', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeAll(() => {
    folder = temporaryFolder();
    makeIgnoreContext(folder.path);
  });
  afterAll(() => folder[Symbol.dispose]());

  function listed(content: string): string[] | 'error' {
    try {
      return filesIn(new FolderContext(folder.path, parseIgnoreFile(content, '.dockerignore'))).sort();
    } catch (error) {
      if (isOcitsError(error, 'syntax')) return 'error';
      throw error;
    }
  }

  test.each(IGNORE_CASES.map((lines) => lines.join('\n')))('%j', (content) => {
    const recorded = RECORDED[content]!;
    const { more = [], less = [] } = LATER[content] ?? {};
    const wanted =
      recorded === 'error'
        ? 'error'
        : [...recorded.flatMap((line) => /^f \S+ \S+ ([^=]*)/.exec(line)?.[1] ?? []), ...more]
            .filter((path) => !less.includes(path))
            .sort();
    expect(listed(content)).toEqual(wanted);
  });

  test.each([
    ['/../a', 'a'],
    ['/../../dir/../a', 'a'],
    ['//..//a', 'a'],
    ['/x/../../a', 'a'],
    ['a\n!/../a', ''],
    ['/..', ''],
    ['/../*\n!/../a', '*\n!a'],
    ['../a', ''],
    ['x/../../a', ''],
    ['../x/../a', ''],
  ])('%j is cleaned before it is matched', (pattern, same) => {
    expect(listed(pattern)).toEqual(listed(same));
  });

  test('a path alone is judged as a walk to it would', () => {
    for (const lines of IGNORE_CASES) {
      const content = lines.join('\n');
      const walked = listed(content);
      if (walked === 'error') continue;
      const rules = parseIgnoreFile(content, '.dockerignore');
      for (const path of filesIn(new FolderContext(folder.path, parseIgnoreFile('', '')))) {
        const entry = new FolderContext(folder.path, rules).entry(Buffer.from(path).toString('latin1'));
        expect(entry !== undefined, `${path} under ${content}`).toBe(walked.includes(path));
      }
    }
  });
});

test('an ignored folder is not opened where nothing in it can come back', () => {
  using folder = temporaryFolder();
  for (const name of ['node_modules', 'docs', 'src']) mkdirSync(join(folder.path, name));
  writeFileSync(join(folder.path, 'docs/keep.md'), '');
  const rules = parseIgnoreFile('*\n!src\n!docs/*.md\n', '.dockerignore');
  const read = vi.fn();
  class Watched extends FolderContext {
    override children(path: string) {
      read(path);
      return super.children(path);
    }
  }
  filesIn(new Watched(folder.path, rules));
  const opened = new Set(read.mock.calls.map(([path]) => path as string));
  expect([...opened].sort()).toEqual(['', 'docs', 'src']);
});

describe('an ignored file', () => {
  const rules = parseIgnoreFile('# logs\n\n*.log\n!keep.log\nbuild/\n', 'app/.dockerignore');

  test('can say which pattern it is', () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, 'build'));
    for (const name of ['a.log', 'keep.log', 'build/x']) writeFileSync(join(folder.path, name), '');
    const source = new FolderContext(folder.path, rules);
    expect(source.whyMissing('a.log')).toBe('"*.log" in app/.dockerignore, line 3, leaves it out');
    expect(source.whyMissing('build/x')).toBe('"build/" in app/.dockerignore, line 5, leaves it out');
    expect(source.whyMissing('keep.log')).toBeUndefined();
    expect(source.whyMissing('nothing')).toBeUndefined();
  });

  test('a bad pattern has its line', () => {
    expect(() => parseIgnoreFile('a\n[b\n', '.dockerignore')).toThrow(
      expect.objectContaining({ code: 'syntax', location: { file: '.dockerignore', line: 2, column: 1 } }),
    );
  });

  test('a byte-order mark and line ends of Windows do not count', () => {
    expect(parseIgnoreFile('\ufeffa\r\n!b \r\n', 'x').patterns.patterns.map(({ source }) => source)).toEqual([
      'a',
      '!b',
    ]);
  });
});

describe('names that are not UTF-8', () => {
  test('are kept, and wildcards take them', () => {
    using folder = temporaryFolder();
    const name = Buffer.from([0x62, 0xff, 0xfe]);
    writeFileSync(Buffer.concat([Buffer.from(`${folder.path}/`), name]), 'x');
    writeFileSync(join(folder.path, 'é'), 'y');
    const all = new FolderContext(realpathSync(folder.path), parseIgnoreFile('', ''));
    expect(all.children('').map(({ path }) => path)).toEqual(['b\xff\xfe', 'Ã©']);
    const rest = new FolderContext(realpathSync(folder.path), parseIgnoreFile('b??\n', ''));
    expect(rest.children('').map(({ path }) => path)).toEqual(['Ã©']);
  });

  test.each(['[é]', '?', 'é', '[^a]', '[à-ï]'])('%s takes a letter of two bytes', (pattern) => {
    expect(parsePattern(pattern)!.test('é')).toBe(true);
  });
});
