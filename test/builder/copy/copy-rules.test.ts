import { linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseIgnoreFile } from '../../../src/builder/context/ignore-file.ts';
import { BASE, makeContext } from '../../support/builder/copy-fixture.ts';
import {
  type CopyRun,
  type CopyRunRequest,
  runCopy,
  temporaryFolder,
} from '../../support/builder/copy-run.ts';

let folder: ReturnType<typeof temporaryFolder>;
let context: string;
beforeAll(() => {
  folder = temporaryFolder();
  context = join(folder.path, 'context');
  mkdirSync(context);
  makeContext(context);
});
afterAll(() => folder[Symbol.dispose]());

function copy(lines: string, more: Partial<CopyRunRequest> = {}): Promise<CopyRun> {
  return runCopy({ lines, context, base: BASE, from: { base: BASE }, scratch: folder.path, ...more });
}

describe('refused, with the place and what to do', () => {
  test.each([
    ['COPY a dir /new', 'a folder cannot be copied onto "/new", which is no folder', 12, 'remove it first'],
    ['COPY dir/* /new', 'a folder cannot be copied onto "/new", which is no folder', 12, 'remove it first'],
    ['COPY [ad]* /new', 'a folder cannot be copied onto "/new", which is no folder', 12, 'remove it first'],
    ['COPY a /x/ b', '"x" is not in the build context', 8, 'did you mean a?'],
    ['COPY dirr /x', '"dirr" is not in the build context', 6, 'did you mean dir?'],
    ['COPY dir/sub/gg /x', '"dir/sub/gg" is not in the build context', 6, 'did you mean dir/sub/g?'],
    ['COPY a dir/zzzzzzz /x/', '"dir/zzzzzzz" is not', 8, 'dir/ has f, lf, sub/'],
    ['COPY broken /x', '"broken" is not in the build context (it leads to "nowhere")', 6, ''],
    ['COPY --from=base /etcc /x', '"etcc" is not in stage base', 18, 'did you mean etc?'],
    ['COPY dir /dst3', 'a folder cannot be copied onto "/dst3/sub"', 10, 'remove it first'],
    ['COPY dir /dst4', 'a file cannot take the place of the folder "/dst4/f"', 6, 'remove the folder'],
    ['COPY a /file/x', '"/file" in the image is no folder', 8, ''],
    ['COPY a /loop', 'too many symlinks', 8, ''],
    ['COPY loop /x', 'too many symlinks', 6, ''],
    ['COPY [b /x', 'has a "[" without its "]"', 6, ''],
    ['COPY --exclude=[b a /x', 'has a "[" without its "]"', 16, ''],
    ['COPY --chmod=u=q a /x', 'invalid mode "u=q"', 14, 'write an octal mode'],
    ['COPY --chmod=10000 a /x', 'invalid mode "10000"', 14, 'write an octal mode'],
    ['COPY --chown=a:b:c a /x', 'invalid owner "a:b:c"', 14, 'write user'],
    ['COPY --chown=me a /x', '"me" is unknown: the image has no /etc/passwd', 14, 'give numbers'],
    ['COPY --chown=4294967295 a /x', 'owner 4294967295 is above', 14, ''],
    ['COPY http://127.0.0.1/x /x', 'COPY cannot copy from a URL', 6, 'use ADD'],
    ['ADD git@example.com:x.git /x', 'ADD cannot fetch a git repository yet', 5, 'clone it'],
    ['ADD https://example.com/x.git#main /x', 'ADD cannot fetch a git repository yet', 5, 'clone it'],
    ['ADD --checksum=sha256:00 a /x', 'a checksum is only for a file fetched', 16, ''],
    ['ADD tars/a.tar /file', '"/file" in the image is no folder', 16, ''],
  ])('%s', async (lines, message, column, hint) => {
    const failing = copy(lines, { passwd: {} });
    await expect(failing).rejects.toThrow(message);
    await expect(failing).rejects.toMatchObject({ location: { file: 'Dockerfile', line: 2, column } });
    if (hint !== '') await expect(failing).rejects.toMatchObject({ hint: expect.stringContaining(hint) });
  });

  test('a file that is ignored, with the pattern', async () => {
    const rules = parseIgnoreFile('*\n!dir\ndir/sub\n', '.dockerignore');
    await expect(copy('COPY a /x', { rules })).rejects.toThrow(
      '"a" is not in the build context: "*" in .dockerignore, line 1, leaves it out',
    );
    await expect(copy('COPY dir/sub/g /x', { rules })).rejects.toThrow('"dir/sub" in .dockerignore, line 3');
    expect((await copy('COPY dir /x', { rules })).lines).toEqual([
      'd 755 0:0 x',
      'f 640 0:0 x/f=F',
      'l 777 0:0 x/lf->f',
    ]);
  });
});

describe('warnings', () => {
  test('a pattern that matches nothing', async () => {
    const { selection, lines } = await copy('COPY a *.nope /x/');
    expect(lines).toEqual(['d 755 0:0 x', 'f 4755 0:0 x/a=A']);
    expect(selection.warnings).toMatchObject([
      {
        rule: 'CopyMatchesNothing',
        message: expect.stringContaining('*.nope matches nothing in the build context (there is a,'),
        range: { start: { line: 2, column: 8 } },
      },
    ]);
  });

  test('sockets and fifos of the host are left out, and refused where they are named', async () => {
    using own = temporaryFolder();
    mkdirSync(join(own.path, 'd'));
    const server = createServer().listen(join(own.path, 'd/socket'));
    writeFileSync(join(own.path, 'd/file'), '');
    try {
      const { lines, selection } = await copy('COPY d /x', { context: own.path });
      expect(lines).toEqual(['d 755 0:0 x', 'f 644 0:0 x/file=']);
      expect(selection.warnings).toMatchObject([
        { rule: 'CopySkipsSpecial', message: expect.stringContaining('socket') },
      ]);
      await expect(copy('COPY d/socket /x', { context: own.path })).rejects.toMatchObject({
        code: 'unsupported',
      });
    } finally {
      server.close();
    }
  });
});

describe('several files for one place: the last one stays, as in BuildKit', () => {
  test.each([
    ['COPY [ab] /new', ['f 644 0:0 new=B']],
    ['COPY b a /new', ['f 4755 0:0 new=A']],
    ['COPY a [ab] /new/x', ['d 755 0:0 new', 'f 644 0:0 new/x=B']],
    ['COPY [ab] /file', ['f 644 0:0 file=B']],
    ['COPY [ab] /flnk', ['d 711 7:8 dst', 'f 644 0:0 dst/f=B']],
    ['COPY dir a /new', 'in the folder'],
  ])('%s', async (lines, expected) => {
    const { lines: copied } = await copy(lines);
    if (expected === 'in the folder') expect(copied).toContain('f 4755 0:0 new/a=A');
    else expect(copied).toEqual(expected);
  });
});

describe('owners and modes', () => {
  const passwd = {
    'etc/passwd': 'root:x:0:0::/:\nme:x:7:8::/:\nbad:x:y:z\n',
    'etc/group': 'root:x:0:\nstaff:x:50:\n',
  };

  test.each([
    ['1000', '1000:1000'],
    ['1000:50', '1000:50'],
    ['me', '7:8'],
    ['me:staff', '7:50'],
    ['me:0', '7:0'],
    ['3:staff', '3:50'],
    ['4294967294', '4294967294:4294967294'],
  ])('--chown=%s', async (owner, expected) => {
    const { lines } = await copy(`COPY --chown=${owner} b /new/`, { passwd });
    expect(lines).toEqual([`d 755 ${expected} new`, `f 644 ${expected} new/b=B`]);
  });

  test.each(['bad', 'nobody', 'me:nogroup'])('--chown=%s is unknown', async (owner) => {
    await expect(copy(`COPY --chown=${owner} b /new`, { passwd })).rejects.toMatchObject({
      code: 'not-found',
      hint: expect.stringContaining('give numbers'),
    });
  });

  test('an octal --chmod is for what is copied and for folders that are made; links keep theirs', async () => {
    const { lines } = await copy('COPY --chmod=0750 dir /n/x');
    expect(lines).toEqual([
      'd 750 0:0 n',
      'd 750 0:0 n/x',
      'f 750 0:0 n/x/f=F',
      'l 777 0:0 n/x/lf->f',
      'd 750 0:0 n/x/sub',
      'f 750 0:0 n/x/sub/g=G',
    ]);
  });

  test('a symbolic --chmod goes from the mode that is there', async () => {
    const { lines } = await copy('COPY --chmod=u-s,go=rX dir a /n/');
    expect(lines).toEqual([
      'd 755 0:0 n',
      'f 755 0:0 n/a=A',
      'f 644 0:0 n/f=F',
      'l 777 0:0 n/lf->f',
      'd 755 0:0 n/sub',
      'f 644 0:0 n/sub/g=G',
    ]);
  });

  test('a stage keeps its owners, unless --chown says otherwise', async () => {
    expect((await copy('COPY --from=base /dst /x')).lines).toContain('f 600 9:9 x/f=old');
    expect((await copy('COPY --from=base --chown=1:2 /dst /x')).lines).toContain('f 600 1:2 x/f=old');
  });
});

describe('--exclude and --parents', () => {
  test.each([
    ['COPY --exclude=sub dir /x', ['d 755 0:0 x', 'f 640 0:0 x/f=F', 'l 777 0:0 x/lf->f']],
    ['COPY --exclude=*/g --exclude=lf dir /x', ['d 755 0:0 x', 'f 640 0:0 x/f=F', 'd 750 0:0 x/sub']],
    ['COPY --exclude=* dir /x', ['d 755 0:0 x']],
    ['COPY --exclude=* --exclude=!sub/g dir /x', ['d 755 0:0 x', 'd 750 0:0 x/sub', 'f 644 0:0 x/sub/g=G']],
    ['COPY --exclude=a [ab] /x/', ['d 755 0:0 x', 'f 644 0:0 x/b=B']],
    [
      'COPY --parents dir/sub/g /x/',
      ['d 755 0:0 x', 'd 700 0:0 x/dir', 'd 750 0:0 x/dir/sub', 'f 644 0:0 x/dir/sub/g=G'],
    ],
    ['COPY --parents ./dir/./sub/g /x/', ['d 755 0:0 x', 'd 750 0:0 x/sub', 'f 644 0:0 x/sub/g=G']],
    [
      'COPY --parents dir/*/g /x/',
      ['d 755 0:0 x', 'd 700 0:0 x/dir', 'd 750 0:0 x/dir/sub', 'f 644 0:0 x/dir/sub/g=G'],
    ],
    [
      'COPY --parents **/g /x/',
      ['d 755 0:0 x', 'd 700 0:0 x/dir', 'd 750 0:0 x/dir/sub', 'f 644 0:0 x/dir/sub/g=G'],
    ],
    ['COPY --parents d*/./sub /x/', ['d 755 0:0 x', 'd 750 0:0 x/sub', 'f 644 0:0 x/sub/g=G']],
    ['COPY --parents dir/nope* /x/', ['d 755 0:0 x']],
  ])('%s', async (lines, expected) => {
    expect((await copy(lines)).lines).toEqual(expected);
  });

  test('--parents gives folders that exist the mode of the copied ones, and leaves owner and time', async () => {
    const base = [
      'd 755 7:8 dir',
      'd 2777 9:9 dir/sub',
      'd 711 1:1 etc',
      'l 777 0:0 lnk->etc',
      'f 600 5:6 file=x',
    ];
    const below = await copy('COPY --parents dir/sub/g /', { base });
    expect(below.lines).toEqual(['d 700 7:8 dir', 'd 750 9:9 dir/sub', 'f 644 0:0 dir/sub/g=G']);
    expect(below.times.get('dir/sub')).toBe(1_000_000_000);
    const owned = await copy('COPY --parents --chown=3 --chmod=600 dir/sub/g /', { base });
    expect(owned.lines).toEqual(['d 700 7:8 dir', 'd 750 9:9 dir/sub', 'f 600 3:3 dir/sub/g=G']);
    const patterns = await copy('COPY --parents dir/*/g dir/lf /', { base });
    expect(patterns.lines).toEqual([
      'd 700 7:8 dir',
      'l 777 0:0 dir/lf->f',
      'd 750 9:9 dir/sub',
      'f 644 0:0 dir/sub/g=G',
    ]);
    // A folder that is named is copied whole, as without --parents.
    const named = await copy('COPY --parents dir/sub /', { base });
    expect(named.lines.slice(0, 2)).toEqual(['d 700 7:8 dir', 'd 750 0:0 dir/sub']);
    await expect(copy('COPY --parents dir/sub/g /x/', { base: ['l 777 0:0 x/dir->/etc'] })).rejects.toThrow(
      'which is no folder',
    );
  });

  test('--parents over a folder that no layer lists', async () => {
    const { lines } = await copy('COPY --parents dir/sub/g /', { base: ['f 644 0:0 dir/sub/other=x'] });
    expect(lines).toEqual(['d 700 0:0 dir', 'd 750 0:0 dir/sub', 'f 644 0:0 dir/sub/g=G']);
  });

  test('--parents of something that is not there', async () => {
    await expect(copy('COPY --parents dir/nope /x/')).rejects.toThrow(
      '"dir/nope" is not in the build context',
    );
  });
});

describe('what lies below', () => {
  test('folders of the image go along as they are, so that the layer stands alone', async () => {
    expect((await copy('COPY b /dst/sub/deep/x')).lines).toEqual([
      'd 711 7:8 dst',
      'd 777 9:9 dst/sub',
      'd 755 0:0 dst/sub/deep',
      'f 644 0:0 dst/sub/deep/x=B',
    ]);
  });

  test('--link does not look', async () => {
    expect((await copy('COPY --link b /lnk/x')).lines).toEqual(['d 755 0:0 lnk', 'f 644 0:0 lnk/x=B']);
    expect((await copy('COPY --link a b /dst/')).lines).toContain('d 755 0:0 dst');
  });
});

describe('here-documents', () => {
  test('are files with their names', async () => {
    const lines = 'COPY --chown=1 <<one b <<-two /x/\nbody\none\n\ttab\n\t\tmore\ntwo';
    expect((await copy(lines)).lines).toEqual([
      'd 755 1:1 x',
      'f 644 1:1 x/b=B',
      'f 644 1:1 x/one=body\n',
      'f 644 1:1 x/two=tab\nmore\n',
    ]);
  });

  test('to one place: the last one stays', async () => {
    expect((await copy('COPY <<a <<b /x\n1\na\n2\nb')).lines).toEqual(['f 644 0:0 x=2\n']);
  });
});

describe('times', () => {
  test('files keep theirs in seconds; made folders are as old as the newest thing in them', async () => {
    using own = temporaryFolder();
    writeFileSync(join(own.path, 'old'), '');
    writeFileSync(join(own.path, 'new'), '');
    utimesSync(join(own.path, 'old'), 1000, 1000.75);
    utimesSync(join(own.path, 'new'), 2000, 2000.25);
    const { times } = await copy('COPY old new /made/', { context: own.path });
    expect(Object.fromEntries(times)).toEqual({ made: 2000, 'made/old': 1000, 'made/new': 2000 });
  });

  test('what has no time gets the given one, and none is later than the clamp', async () => {
    const heredoc = await copy('COPY <<a /made/\nx\na', { timeSeconds: 77 });
    expect(Object.fromEntries(heredoc.times)).toEqual({ made: 77, 'made/a': 77 });
    const clamped = await copy('COPY dir /made', { clampSeconds: 500 });
    expect(new Set(clamped.times.values())).toEqual(new Set([500]));
  });

  test('the same content gives the same layer', async () => {
    const first = await copy('COPY dir /x', { clampSeconds: 1 });
    const second = await copy('COPY dir/. /x/', { clampSeconds: 1 });
    expect(second.diffId).toBe(first.diffId);
  });
});

test('a name that deletes cannot be in a layer', async () => {
  using own = temporaryFolder();
  mkdirSync(join(own.path, 'd'));
  writeFileSync(join(own.path, 'd/.wh.x'), '');
  await expect(copy('COPY d /x', { context: own.path })).rejects.toMatchObject({ code: 'unsupported' });
  await expect(copy('COPY b /x/.wh.y')).rejects.toThrow('cannot be in a layer');
  const rules = parseIgnoreFile('**/.wh.*', '.dockerignore');
  expect((await copy('COPY d /x', { context: own.path, rules })).lines).toEqual(['d 755 0:0 x']);
});

test('names that are not UTF-8 arrive byte for byte', async () => {
  using own = temporaryFolder();
  const at = (...bytes: number[]) => Buffer.concat([Buffer.from(`${own.path}/`), Buffer.from(bytes)]);
  writeFileSync(at(0xff), 'x');
  symlinkSync(Buffer.from([0xfe]), at(0x6c));
  linkSync(at(0xff), at(0x68));
  const { times, lines } = await copy('COPY . /', { context: own.path });
  expect([...times.keys()]).toEqual(['h', 'l', '\xff']);
  expect(lines.filter((line) => line.startsWith('f'))).toHaveLength(1);
  expect(lines.filter((line) => line.startsWith('h'))).toHaveLength(1);
});
