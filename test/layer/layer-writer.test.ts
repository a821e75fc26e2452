import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempDisposableSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { decodeIndex } from '../../src/layer/index/layer-index.ts';
import type { LayerChange, LayerEntry } from '../../src/layer/layer-change.ts';
import {
  type ChangeToWrite,
  createLayerWriter,
  type LayerWriterOptions,
  type WrittenLayer,
} from '../../src/layer/tar/layer-writer.ts';
import { type HeaderToWrite, paxRecordsFor, writeHeader } from '../../src/layer/tar/write-header.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { blocks, pax } from '../support/layer/raw-tar.ts';
import { type Recorded, readTar } from '../support/layer/record-layer.ts';
import { SAMPLE_TREE, type SampleEntry } from '../support/layer/sample-tree.ts';

const temporary = mkdtempDisposableSync(join(tmpdir(), 'ocits-writer-'));
afterAll(() => temporary.remove());
let made = 0;
const newPath = () => join(temporary.path, `${made++}`);

interface ToWrite {
  readonly entry: LayerChange;
  readonly content?: Buffer;
}

function write(
  samples: readonly ToWrite[],
  options: LayerWriterOptions = {},
): { tar: Buffer; written: WrittenLayer } {
  const path = newPath();
  using writer = createLayerWriter(path, options);
  for (const { entry, content } of samples) {
    if (entry.type === 'file') writer.addFile(entry, content!);
    else writer.add(entry);
  }
  const written = writer.finish();
  const tar = readFileSync(path);
  expect(written.sizeBytes).toBe(tar.length);
  expect(written.diffId).toBe(digestOf(tar));
  return { tar, written };
}

const MARKERS: readonly ToWrite[] = [
  { entry: { type: 'whiteout', path: 'gone' } },
  { entry: { type: 'whiteout', path: 'folder/gone \xe9' } },
  { entry: { type: 'opaque', path: 'folder/zeros' } },
  { entry: { type: 'opaque', path: '' } },
];

function entryOf(name: string): LayerEntry {
  return SAMPLE_TREE.find(({ entry }) => entry.path === name)!.entry;
}

test('a file that is there already is left alone', () => {
  const path = newPath();
  writeFileSync(path, 'mine');
  expect(() => createLayerWriter(path)).toThrow(expect.objectContaining({ code: 'already-exists' }));
  expect(readFileSync(path, 'utf8')).toBe('mine');
});

test('what is written is what is read, and what the index has', () => {
  const samples: ToWrite[] = [...SAMPLE_TREE, ...MARKERS];
  const { tar, written } = write(samples);
  const recorded = readTar(tar);
  expect(recorded.map(({ change }) => change)).toEqual(
    samples.map(({ entry }, i) =>
      entry.type === 'file'
        ? { ...entry, dataOffset: (recorded[i]!.change as { dataOffset: number }).dataOffset }
        : entry,
    ),
  );
  expect(
    recorded.every(({ content }, i) => content === undefined || content.equals(samples[i]!.content!)),
  ).toBe(true);
  expect(written.entries).toBe(samples.length);
  const index = decodeIndex(written.index);
  expect(Array.from({ length: index.count }, (_, i) => index.at(i))).toEqual(
    recorded.map(({ change }) => change),
  );
});

/** What GNU tar finds in a folder, in comparable form. */
function treeOf(folder: string): object[] {
  const args = [
    '-c',
    '--format=pax',
    '--sort=name',
    '--numeric-owner',
    '--xattrs',
    '--xattrs-include=*',
    '-C',
    folder,
    '.',
  ];
  return comparable(readTar(execFileSync('tar', args, { maxBuffer: 64 * 1024 * 1024 })));
}

function comparable(recorded: readonly Recorded[]): object[] {
  return recorded
    .filter(({ change }) => change.path !== '')
    .map(({ change, content }) => {
      const {
        dataOffset: _d,
        storedBytes: _s,
        xattrs,
        ...rest
      } = change as LayerEntry & Record<string, unknown>;
      const digest = content === undefined ? {} : { content: digestOf(content) };
      // tar takes whichever name of a file it meets first for the file.
      return { ...rest, ...digest, ...(xattrs === undefined ? {} : { xattrs: [...xattrs].sort() }) };
    })
    .sort((a, b) => ((a as { path: string }).path < (b as { path: string }).path ? -1 : 1));
}

function wanted(samples: readonly SampleEntry[]): object[] {
  const recorded = samples.map(({ entry, content }) =>
    content ? { change: entry, content } : { change: entry },
  );
  return comparable(recorded);
}

describe('other tools read it', () => {
  test('GNU tar', () => {
    const path = newPath();
    const folder = newPath();
    mkdirSync(folder);
    writeFileSync(path, write(SAMPLE_TREE).tar);
    const args = [
      '-xpf',
      path,
      '--numeric-owner',
      '--xattrs',
      '--xattrs-include=*',
      '--delay-directory-restore',
      '-C',
      folder,
    ];
    execFileSync('tar', args, { stdio: 'pipe' });
    expect(treeOf(folder)).toEqual(wanted(SAMPLE_TREE));
  });

  test('umoci, by the library that Docker and containerd use', () => {
    const layout = newPath();
    const path = newPath();
    const bundle = newPath();
    writeFileSync(path, write(SAMPLE_TREE).tar);
    execFileSync('umoci', ['init', '--layout', layout]);
    execFileSync('umoci', ['new', '--image', `${layout}:latest`]);
    execFileSync('umoci', ['raw', 'add-layer', '--image', `${layout}:latest`, path], { stdio: 'pipe' });
    execFileSync('umoci', ['unpack', '--image', `${layout}:latest`, bundle], { stdio: 'pipe' });
    expect(treeOf(join(bundle, 'rootfs'))).toEqual(wanted(SAMPLE_TREE));
  });
});

const HEADER: HeaderToWrite = {
  ...{ name: 'a', type: '0', mode: 0o644, uid: 0, gid: 0, linkName: '', major: 0, minor: 0 },
  ...{ mtime: { seconds: 0, nanoseconds: 0 }, xattrs: undefined, sizeBytes: 0 },
};

describe('canonical', () => {
  const entry = (more: Partial<LayerEntry> = {}): ChangeToWrite =>
    ({ ...entryOf('empty'), ...more }) as ChangeToWrite;
  const tarOf = (change: ChangeToWrite) =>
    write([{ entry: change as LayerChange, content: Buffer.alloc(0) }]).tar;

  test('the bytes of the sample tree', () => {
    // Changes only where the form of layers changes, which changes the ID of every image that is built.
    expect(write([...SAMPLE_TREE, ...MARKERS]).written.diffId).toBe(
      'sha256:49dfe8aa28b02babdd642cef447a28ec7812cc2db7cae252311c2b40e99106e5',
    );
  });

  test('ustar takes a block, pax two more', () => {
    const size = (change: ChangeToWrite) => tarOf(change).length / 512 - 2;
    expect(size(entry())).toBe(1);
    expect(size(entry({ path: `${'p'.repeat(155)}/${'n'.repeat(100)}` }))).toBe(1);
    expect(size(entry({ path: `${'p'.repeat(156)}/${'n'.repeat(100)}` }))).toBe(3);
    expect(size(entry({ path: 'n'.repeat(101) }))).toBe(3);
    expect(size(entry({ uid: 0o7777777, gid: 0o7777777 }))).toBe(1);
    expect(size(entry({ uid: 0o10000000 }))).toBe(3);
    expect(size(entry({ mtime: { seconds: 0o77777777777, nanoseconds: 0 } }))).toBe(1);
    expect(size(entry({ mtime: { seconds: 1, nanoseconds: 1 } }))).toBe(3);
  });

  test('pax records, sorted, and only of what ustar lacks', () => {
    const path = 'caf\xe9';
    const xattrs = new Map([
      ['user.b', Buffer.from('\n\0')],
      ['user.a', Buffer.from('')],
    ]);
    const bytes = tarOf(
      entry({ path, uid: 2 ** 31, xattrs, mtime: { seconds: -2, nanoseconds: 500_000_000 } }),
    );
    const size = Number.parseInt(bytes.toString('latin1', 124, 135), 8);
    expect(bytes.toString('latin1', 512, 512 + size)).toBe(
      '21 hdrcharset=BINARY\n24 SCHILY.xattr.user.a=\n26 SCHILY.xattr.user.b=\n\0\n14 mtime=-1.5\n13 path=caf\xe9\n18 uid=2147483648\n',
    );
    expect(tarOf(entry({ path: 'caf\xc3\xa9' })).toString('latin1', 512, 540)).toMatch(
      /^14 path=caf\xc3\xa9\n\0/,
    );
  });

  test.each([
    [{ seconds: -1, nanoseconds: 999_999_999 }, '-0.000000001'],
    [{ seconds: -86_400, nanoseconds: 0 }, '-86400'],
    [{ seconds: 0, nanoseconds: 1 }, '0.000000001'],
    [{ seconds: 2 ** 40, nanoseconds: 100_000_000 }, '1099511627776.1'],
  ])('the time %j', (mtime, text) => {
    const bytes = tarOf(entry({ mtime }));
    expect(bytes.toString('latin1', 512, 560)).toContain(` mtime=${text}\n`);
    expect(readTar(bytes)[0]!.change).toMatchObject({ mtime });
  });

  test('pax record lengths count themselves', () => {
    for (let length = 80; length < 120; length++) {
      const path = 'é'.repeat(length);
      expect(readTar(tarOf(entry({ path })))[0]!.change.path).toBe(path);
    }
  });

  test('a size that ustar cannot hold', () => {
    const header = { ...HEADER, sizeBytes: 2 ** 33 };
    expect(paxRecordsFor(header)).toBe('19 size=8589934592\n');
    expect(paxRecordsFor({ ...header, sizeBytes: 2 ** 33 - 1 })).toBe('');
    const block = Buffer.alloc(512, 0xff);
    writeHeader(block, 0, header);
    const bytes = Buffer.concat([pax({ size: '5' }), block, blocks('12345')]);
    expect(readTar(bytes)[0]!.content!.toString()).toBe('12345');
  });

  test('times are clamped', () => {
    const samples = [10, 20, 30].map((seconds) => ({
      entry: { ...entryOf('folder'), mtime: { seconds, nanoseconds: 5 } },
    }));
    const { tar } = write(samples, { clampSeconds: 20 });
    expect(readTar(tar).map(({ change }) => (change as LayerEntry).mtime)).toEqual([
      { seconds: 10, nanoseconds: 5 },
      { seconds: 20, nanoseconds: 0 },
      { seconds: 20, nanoseconds: 0 },
    ]);
  });
});

describe('files', () => {
  const file = { ...entryOf('empty'), sizeBytes: 3_000_000 } as ChangeToWrite & { type: 'file' };
  const content = Buffer.alloc(3_000_000, 'some content ');

  function open(bytes: Buffer): number {
    const path = newPath();
    writeFileSync(path, bytes);
    return openSync(path, 'r');
  }

  test('from a buffer and from a descriptor: the same', () => {
    const first = newPath();
    const second = newPath();
    using a = createLayerWriter(first);
    using b = createLayerWriter(second);
    const fd = open(Buffer.concat([Buffer.from('before'), content, Buffer.from('after')]));
    for (const sizeBytes of [0, 1, 511, 512, 513, 70_000, 1_048_064, 1_048_576, 3_000_000]) {
      a.addFile({ ...file, sizeBytes }, content.subarray(0, sizeBytes));
      b.addFileFrom({ ...file, sizeBytes }, fd, 6);
    }
    closeSync(fd);
    expect(a.finish()).toEqual(b.finish());
    expect(readFileSync(first).equals(readFileSync(second))).toBe(true);
  });

  test('sizes that do not agree, and files without content', () => {
    using writer = createLayerWriter(newPath());
    const fd = open(content.subarray(1));
    expect(() => writer.addFileFrom(file, fd)).toThrow(expect.objectContaining({ code: 'size-mismatch' }));
    expect(() => writer.addFile(file, content.subarray(1))).toThrow(
      expect.objectContaining({ code: 'size-mismatch' }),
    );
    expect(() => writer.add(file)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
    closeSync(fd);
  });

  test('a file that is far too short', () => {
    const path = newPath();
    {
      using writer = createLayerWriter(path);
      const fd = open(Buffer.alloc(0));
      expect(() => writer.addFileFrom({ ...file, sizeBytes: 2 ** 34 }, fd)).toThrow(
        /0 bytes, not 17179869184/,
      );
      closeSync(fd);
    }
    expect(existsSync(path)).toBe(false);
  });

  test('a writer that is not finished leaves no file, and takes none that is there', () => {
    const path = newPath();
    {
      using writer = createLayerWriter(path);
      writer.addFile(file, content);
      expect(existsSync(path)).toBe(true);
      expect(() => createLayerWriter(path)).toThrow(/cannot make/);
    }
    expect(existsSync(path)).toBe(false);
  });

  test('an xattr that pax cannot hold', () => {
    using writer = createLayerWriter(newPath());
    const xattrs = new Map([['user.a=b', Buffer.from('x')]]);
    expect(() => writer.add({ ...entryOf('folder'), xattrs } as ChangeToWrite)).toThrow(/user.a=b/);
  });
});
