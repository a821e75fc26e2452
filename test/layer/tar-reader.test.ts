import { execFileSync } from 'node:child_process';
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { LayerEntry } from '../../src/layer/layer-change.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { entry, gnuLong, header, pax, tar } from '../support/layer/raw-tar.ts';
import { type Recorded, readTar } from '../support/layer/record-layer.ts';
import { makeTree, SAMPLE_TREE, type SampleEntry } from '../support/layer/sample-tree.ts';

const temporary = mkdtempDisposableSync(join(tmpdir(), 'ocits-reader-'));
afterAll(() => temporary.remove());

type Need = NonNullable<SampleEntry['needs']>[number];

/** What GNU tar's formats cannot hold. */
const FORMATS: Readonly<Record<string, readonly Need[]>> = {
  v7: ['devices', 'long-names', 'early-times', 'xattrs', 'big-owners'],
  oldgnu: ['xattrs'],
  gnu: ['xattrs'],
  ustar: ['long-names', 'early-times', 'xattrs', 'big-owners'],
  pax: [],
};

function gnuTar(format: string, ...more: string[]): { samples: readonly SampleEntry[]; bytes: Buffer } {
  const samples = SAMPLE_TREE.filter(
    ({ needs = [] }) => !needs.some((need) => FORMATS[format]!.includes(need)),
  );
  const folder = mkdtempDisposableSync(join(temporary.path, `${format}-`)).path;
  makeTree(folder, samples);
  const xattrs = format === 'pax' ? ['--xattrs', '--xattrs-include=*'] : [];
  const args = [
    '-c',
    `--format=${format}`,
    '--sort=name',
    '--numeric-owner',
    ...xattrs,
    ...more,
    '-C',
    folder,
    '.',
  ];
  return { samples, bytes: execFileSync('tar', args, { maxBuffer: 64 * 1024 * 1024 }) };
}

/** What should be read, in comparable form: only pax keeps fractions of a second. */
function expected(samples: readonly SampleEntry[], hasFractions: boolean) {
  return samples.map(({ entry, content }) => {
    // tar takes the name that it meets first for the file, and hard links have their file's metadata.
    const { mtime, ...rest } = comparable(entry);
    const time = hasFractions ? mtime : { ...mtime, nanoseconds: 0 };
    return { ...rest, mtime: time, ...(content === undefined ? {} : { content: digestOf(content) }) };
  });
}

function read(recorded: readonly Recorded[]) {
  return recorded
    .filter(({ change }) => change.path !== '')
    .map(({ change, content }) => ({
      ...comparable(change as LayerEntry),
      ...(content === undefined ? {} : { content: digestOf(content) }),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function comparable(entry: LayerEntry) {
  const {
    dataOffset: _d,
    storedBytes: _s,
    sparse: _r,
    xattrs,
    ...rest
  } = entry as LayerEntry & Record<string, unknown>;
  return {
    ...rest,
    ...(xattrs === undefined ? {} : { xattrs: [...xattrs].sort() }),
  } as unknown as LayerEntry;
}

describe('archives that GNU tar made', () => {
  const cases = [
    ...Object.keys(FORMATS).map((format) => [format]),
    ['gnu', '--sparse'],
    ['pax', '--sparse', '--sparse-version=0.0'],
    ['pax', '--sparse', '--sparse-version=0.1'],
    ['pax', '--sparse', '--sparse-version=1.0'],
  ].map((args) => [args.join(' '), args as [string, ...string[]]] as const);

  test.each(cases)('%s', (_name, [format, ...more]) => {
    const { samples, bytes } = gnuTar(format, ...more);
    const recorded = readTar(bytes);
    const found = read(recorded);
    // The mode and time of a hard link are its file's, which GNU tar repeats.
    const wanted = expected(samples, format === 'pax').map((entry) =>
      entry.type === 'hardlink' ? { ...entry, mode: 0o644 } : entry,
    );
    expect(found.map(({ path }) => path)).toEqual(wanted.map(({ path }) => path));
    expect(found).toEqual(wanted);
    const isSparse = recorded.some(({ change }) => change.type === 'file' && change.sparse !== undefined);
    expect(isSparse).toBe(more.includes('--sparse'));
  });

  test.each(cases)('%s: where the stored bytes are', (_name, [format, ...more]) => {
    const { bytes } = gnuTar(format, ...more);
    for (const { change, content } of readTar(bytes, [1000])) {
      if (change.type !== 'file') continue;
      const stored = bytes.subarray(change.dataOffset, change.dataOffset + change.storedBytes);
      const runs = change.sparse ?? [{ offset: 0, length: change.sizeBytes }];
      expect(
        stored.equals(
          Buffer.concat(runs.map(({ offset, length }) => content!.subarray(offset, offset + length))),
        ),
      ).toBe(true);
    }
  });

  test.each(cases)('%s: it does not matter where chunks break', (_name, [format, ...more]) => {
    const { bytes } = gnuTar(format, ...more);
    const whole = read(readTar(bytes));
    for (const sizes of [[512], [511], [513], [100_000, 3], [1, 1021, 4096], [65_536]]) {
      expect(read(readTar(bytes, sizes))).toEqual(whole);
    }
  });
});

test('one byte at a time', () => {
  const bytes = tar(
    pax({ path: 'folder/p', mtime: '-0.5', 'SCHILY.xattr.user.a': 'b\0c' }),
    entry({}, 'some data'),
    gnuLong('L', `${'l'.repeat(200)}`),
    gnuLong('K', `${'k'.repeat(200)}`),
    entry({ type: '2', magic: 'gnu' }),
    pax({
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.realsize': '5000',
      'GNU.sparse.name': 's',
    }),
    entry({}, `${'2\n1000\n3\n4000\n600\n'.padEnd(512, '\0')}abc${'d'.repeat(600)}`),
    header({ name: '.wh.x' }),
  );
  const recorded = readTar(bytes, [1]);
  expect(recorded).toEqual(readTar(bytes));
  expect(recorded.map(({ change }) => [change.type, change.path])).toEqual([
    ['file', 'folder/p'],
    ['symlink', 'l'.repeat(200)],
    ['file', 's'],
    ['whiteout', 'x'],
  ]);
  expect(recorded[0]!.change).toMatchObject({
    mtime: { seconds: -1, nanoseconds: 500_000_000 },
    xattrs: new Map([['user.a', Buffer.from('b\0c')]]),
  });
  expect(recorded[2]!.content!.subarray(4000).toString()).toBe('d'.repeat(600) + '\0'.repeat(400));
});

describe('single headers', () => {
  const one = (...parts: Buffer[]) => readTar(tar(...parts))[0]!.change;

  test('ustar prefix, and star which has a shorter one', () => {
    expect(one(entry({ name: 'name', prefix: 'p/q' })).path).toBe('p/q/name');
    const star = {
      prefix: 'p'.repeat(131),
      patches: [
        [476, '00000000000 00000000000 '],
        [508, 'tar\0'],
      ],
    } as const;
    expect(one(entry({ name: 'name', ...star })).path).toBe(`${'p'.repeat(131)}/name`);
    expect(one(entry({ name: 'name', magic: 'gnu', prefix: '14000000000' })).path).toBe('name');
  });

  test('numbers in base 256', () => {
    expect(one(entry({ uid: 2 ** 31, gid: 2 ** 32 - 2, mtime: -5 }))).toMatchObject({
      uid: 2 ** 31,
      gid: 2 ** 32 - 2,
      mtime: { seconds: -5, nanoseconds: 0 },
    });
  });

  test('numbers with spaces, and none at all', () => {
    const patches = [
      [100, ' 755 \0\0\0'],
      [108, '\0\0\0\0\0\0\0\0'],
      [116, '       \0'],
    ] as const;
    expect(one(entry({ patches }))).toMatchObject({ mode: 0o755, uid: 0, gid: 0 });
  });

  test('a checksum over signed bytes', () => {
    const fields = { name: 'caf\xe9' };
    const block = header(fields);
    const unsigned = Number.parseInt(block.toString('latin1', 148, 154), 8);
    expect(one(entry({ ...fields, checksum: unsigned - 256 })).path).toBe('caf\xe9');
    expect(() => one(entry({ ...fields, checksum: unsigned - 255 }))).toThrow(
      /no valid tar header at byte 0/,
    );
  });

  test('an old folder by its slash', () => {
    expect(one(entry({ name: 'a/', type: '\0', magic: 'v7' })).type).toBe('directory');
    expect(one(entry({ name: 'a/', type: '0' })).type).toBe('file');
    expect(one(entry({ name: 'a', type: '7' })).type).toBe('file');
  });

  test('data that a link says it has is not there', () => {
    const recorded = readTar(
      tar(header({ name: 'l', type: '1', linkName: 'a', size: 1000 }), entry({ name: 'b' }, 'x')),
    );
    expect(recorded.map(({ change }) => change.path)).toEqual(['l', 'b']);
  });

  test('a later pax header of the same entry replaces the earlier one', () => {
    expect(one(pax({ path: 'a', uid: '5' }), pax({ path: 'b' }), entry({}))).toMatchObject({
      path: 'b',
      uid: 0,
    });
  });

  test('an empty pax value leaves the header its own', () => {
    expect(one(pax({ path: '', uid: '', mtime: '' }), entry({ name: 'a', uid: 7 }))).toMatchObject({
      path: 'a',
      uid: 7,
    });
  });

  test('a global header is not obeyed, and said so unless it is a comment', () => {
    const warnings: string[] = [];
    const options = { onWarning: (text: string) => warnings.push(text) };
    readTar(tar(pax({ comment: 'of git archive' }, 'g'), entry({})), [], options);
    expect(warnings).toEqual([]);
    expect(readTar(tar(pax({ uid: '5' }, 'g'), entry({})), [], options)[0]!.change).toMatchObject({ uid: 0 });
    expect(warnings).toEqual(['a global pax header was ignored']);
  });
});
