import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { ContextDigests } from '../../../src/builder/context/digests.ts';
import { NOTHING_IGNORED } from '../../../src/builder/context/ignore-file.ts';
import { FolderContext } from '../../../src/builder/context/local-folder.ts';
import { copyDigest } from '../../../src/builder/copy/content-digest.ts';
import { selectCopy } from '../../../src/builder/copy/select.ts';
import { type FileStamp, isSettled } from '../../../src/builder/source/stamp.ts';
import type { AddInstruction, CopyInstruction } from '../../../src/dockerfile/instruction.ts';
import { temporaryFolder, treeSource } from '../../support/builder/copy-run.ts';
import { instruction } from '../../support/builder/dockerfile-instruction.ts';

async function digestOf(lines: string, root: string, storeRoot?: string): Promise<string> {
  const kind = lines.slice(0, lines.indexOf(' ')) as 'COPY';
  const copy: CopyInstruction | AddInstruction = instruction(kind, lines);
  const source = new FolderContext(root, NOTHING_IGNORED, storeRoot);
  return await copyDigest(await selectCopy({ instruction: copy, file: 'Dockerfile', source }));
}

function sample(root: string): void {
  mkdirSync(join(root, 'd/e'), { recursive: true });
  writeFileSync(join(root, 'd/f'), 'f');
  writeFileSync(join(root, 'd/e/g'), 'g');
  symlinkSync('f', join(root, 'd/l'));
}

describe('the digest of what is copied', () => {
  const changes: readonly (readonly [string, (at: (path: string) => string) => void])[] = [
    ['a byte', (at) => writeFileSync(at('d/f'), 'F')],
    ['a mode', (at) => chmodSync(at('d/f'), 0o755)],
    ['the mode of a folder', (at) => chmodSync(at('d/e'), 0o700)],
    ['a name', (at) => renameSync(at('d/f'), at('d/f2'))],
    ['a new file', (at) => writeFileSync(at('d/new'), '')],
    ['a missing file', (at) => rmSync(at('d/e/g'))],
    ['an empty folder', (at) => mkdirSync(at('d/empty'))],
    [
      'a link',
      (at) => {
        rmSync(at('d/l'));
        symlinkSync('e', at('d/l'));
      },
    ],
    [
      'a type',
      (at) => {
        rmSync(at('d/l'));
        writeFileSync(at('d/l'), 'f');
      },
    ],
  ];

  test.each(changes)('changes with %s', async (_what, change) => {
    using folder = temporaryFolder();
    sample(folder.path);
    const before = await digestOf('COPY d /x', folder.path);
    change((path) => join(folder.path, path));
    expect(await digestOf('COPY d /x', folder.path)).not.toBe(before);
  });

  test('knows no times, no machine, and not what is beside', async () => {
    using one = temporaryFolder();
    using two = temporaryFolder();
    sample(one.path);
    sample(two.path);
    utimesSync(join(two.path, 'd/f'), 1, 1);
    utimesSync(join(two.path, 'd'), 1, 1);
    writeFileSync(join(two.path, 'beside'), 'x');
    chmodSync(join(two.path, 'd'), 0o700);
    expect(await digestOf('COPY d /x', two.path)).toBe(await digestOf('COPY d /x', one.path));
    expect(await digestOf('COPY d/. /y/', two.path)).toBe(await digestOf('COPY d /x', one.path));
  });

  test('tells selections apart that look alike', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'a'), 'x');
    writeFileSync(join(folder.path, 'b'), 'x');
    mkdirSync(join(folder.path, 'd'));
    writeFileSync(join(folder.path, 'd/a'), 'x');
    const lines = [
      'COPY a /x',
      'COPY b /x',
      'COPY d /x',
      'COPY a b /x/',
      'COPY b a /x/',
      'COPY <<a /x\nx\na',
      'COPY <<a /x\ny\na',
    ];
    const digests = await Promise.all(lines.map((line) => digestOf(line, folder.path)));
    expect(new Set(digests).size).toBe(lines.length);
  });

  test('sees owners and bytes of a stage', async () => {
    using folder = temporaryFolder();
    const copy = instruction('COPY', 'COPY /d /x');
    const digest = async (lines: string[]) => {
      const source = treeSource('stage', lines, folder.path);
      return await copyDigest(await selectCopy({ instruction: copy, file: 'Dockerfile', source }));
    };
    const lines = [
      ['d 755 0:0 d', 'f 644 0:0 d/f=x'],
      ['d 755 0:0 d', 'f 644 1:0 d/f=x'],
      ['d 755 0:0 d', 'f 644 0:0 d/f=y'],
    ];
    expect(new Set(await Promise.all(lines.map(digest))).size).toBe(3);
    expect(await digest(lines[0]!)).toBe(await digest(['d 700 5:5 d', 'f 644 0:0 d/f=x']));
  });

  test('is the same for a folder on the host and in a stage', async () => {
    using folder = temporaryFolder();
    sample(folder.path);
    const source = treeSource(
      'stage',
      ['d 755 0:0 d', 'd 755 0:0 d/e', 'f 644 0:0 d/e/g=g', 'f 644 0:0 d/f=f', 'l 777 0:0 d/l->f'],
      folder.path,
    );
    const copy = instruction('COPY', 'COPY d /x');
    const ofStage = await copyDigest(await selectCopy({ instruction: copy, file: 'Dockerfile', source }));
    expect(await digestOf('COPY d /x', folder.path)).toBe(ofStage);
  });
});

const STAMP: FileStamp = { dev: 1, ino: 2, size: 3, mtimeMs: 4.5, ctimeMs: 1000.25 };
const HEX = 'ab'.repeat(32);

describe('remembered digests', () => {
  test('come back for the same state only', () => {
    using folder = temporaryFolder();
    const first = ContextDigests.open(folder.path, '/context');
    first.set('a/b', STAMP, HEX, 1e6);
    first.set('\xff', { ...STAMP, ino: 9 }, HEX, 1e6);
    first.save();
    const again = ContextDigests.open(folder.path, '/context');
    expect(again.get('a/b', STAMP)).toBe(HEX);
    expect(again.get('\xff', { ...STAMP, ino: 9 })).toBe(HEX);
    for (const key of ['dev', 'ino', 'size', 'mtimeMs', 'ctimeMs'] as const) {
      expect(again.get('a/b', { ...STAMP, [key]: STAMP[key] + 0.25 })).toBeUndefined();
    }
    expect(ContextDigests.open(folder.path, '/other').get('a/b', STAMP)).toBeUndefined();
  });

  test('that no build asks for any more go in the end', () => {
    using folder = temporaryFolder();
    const many = ContextDigests.open(folder.path, '/context');
    for (let i = 0; i < 3000; i++) many.set(`old-${i}`, { ...STAMP, ino: i }, HEX, 1e6);
    many.save();
    const next = ContextDigests.open(folder.path, '/context');
    expect(next.get('old-7', { ...STAMP, ino: 7 })).toBe(HEX);
    next.set('new', STAMP, HEX, 1e6);
    next.save();
    const last = ContextDigests.open(folder.path, '/context');
    expect([
      last.get('new', STAMP),
      last.get('old-7', { ...STAMP, ino: 7 }),
      last.get('old-8', { ...STAMP, ino: 8 }),
    ]).toEqual([HEX, HEX, undefined]);
  });

  test.each(['cut', 'flipped', 'empty'])('in a %s file are not believed', (damage) => {
    using folder = temporaryFolder();
    const first = ContextDigests.open(folder.path, '/context');
    first.set('a', STAMP, HEX, 1e6);
    first.save();
    const name = readdirSync(join(folder.path, 'build-cache/contexts'))[0]!;
    const path = join(folder.path, 'build-cache/contexts', name);
    const bytes = readFileSync(path);
    if (damage === 'cut') truncateSync(path, bytes.length - 1);
    else if (damage === 'empty') truncateSync(path);
    else {
      bytes[60]! ^= 1;
      writeFileSync(path, bytes);
    }
    expect(ContextDigests.open(folder.path, '/context').get('a', STAMP)).toBeUndefined();
  });

  test('are not kept for a file that has just changed', () => {
    expect(isSettled(STAMP, 1000)).toBe(false);
    expect(isSettled(STAMP, 1050)).toBe(false);
    expect(isSettled(STAMP, 1200)).toBe(true);
    expect(isSettled({ ...STAMP, ctimeMs: 2000 }, 3000)).toBe(false);
  });

  test('save reading, and no change goes unseen', async () => {
    using folder = temporaryFolder();
    using store = temporaryFolder();
    sample(folder.path);
    await delay(150);
    const first = await digestOf('COPY d /x', folder.path, store.path);
    const get = vi.spyOn(ContextDigests.prototype, 'get');
    try {
      expect(await digestOf('COPY d /x', folder.path, store.path)).toBe(first);
      // Both files were asked for, and known.
      expect(get.mock.results.map(({ value }) => (value as string).length)).toEqual([64, 64]);
      // Same size, and the time set back: only the inode's own change tells.
      writeFileSync(join(folder.path, 'd/f'), 'z');
      utimesSync(join(folder.path, 'd/f'), 1, 1);
      const changed = await digestOf('COPY d /x', folder.path, store.path);
      expect(changed).not.toBe(first);
      expect(changed).toBe(await digestOf('COPY d /x', folder.path));
    } finally {
      get.mockRestore();
    }
  });
});

test('a file that changes between selection and writing is refused', async () => {
  using folder = temporaryFolder();
  sample(folder.path);
  const source = new FolderContext(folder.path, NOTHING_IGNORED);
  const entry = source.entry('d/f')!;
  await source.open(entry).close();
  writeFileSync(join(folder.path, 'd/f'), 'longer');
  expect(() => source.open(entry)).toThrow(expect.objectContaining({ code: 'in-use' }));
  await expect(source.digests([entry])).rejects.toMatchObject({ code: 'in-use' });
  rmSync(join(folder.path, 'd/f'));
  expect(() => source.open(entry)).toThrow(expect.objectContaining({ code: 'in-use' }));
});
