import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { detectArchive } from '../../../src/builder/add/archive-form.ts';
import { remoteKind } from '../../../src/builder/add/remote.ts';
import { BASE, tarOf } from '../../support/builder/copy-fixture.ts';
import { type CopyRunRequest, runCopy, temporaryFolder } from '../../support/builder/copy-run.ts';
import { entry } from '../../support/layer/raw-tar.ts';

const END = Buffer.alloc(1024);
const tar = (...entries: Buffer[]) => Buffer.concat([...entries, END]);

async function add(
  lines: string,
  files: Record<string, Buffer | string>,
  more: Partial<CopyRunRequest> = {},
) {
  using folder = temporaryFolder();
  const context = join(folder.path, 'context');
  const scratch = join(folder.path, 'scratch');
  mkdirSync(context);
  mkdirSync(scratch);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(context, name), content);
  const run = await runCopy({ lines, context, base: BASE, scratch, ...more });
  // Everything but what was fetched is gone again.
  expect(readdirSync(scratch).filter((name) => !name.startsWith('remote-'))).toEqual([]);
  return run.lines;
}

describe('archives', () => {
  test('zstd, too, and with --chown all of it', async () => {
    const lines = await add('ADD --chown=7:8 a.bin /new/', {
      'a.bin': zstdCompressSync(tarOf(['d 700 1:1 d', 'f 600 1:1 d/f=x'])),
    });
    expect(lines).toEqual(['d 755 7:8 new', 'd 700 7:8 new/d', 'f 600 7:8 new/d/f=x']);
  });

  test('hard links stay links, whichever name comes first', async () => {
    const archive = tar(
      entry({ name: 'z', mode: 0o644, mtime: 5 }, 'data'),
      entry({ name: 'a', type: '1', linkName: 'z', mode: 0o644, mtime: 5 }),
      entry({ name: 'm/', type: '5', mode: 0o755 }),
      entry({ name: 'm/n', type: '1', linkName: 'a', mode: 0o644, mtime: 5 }),
    );
    expect(await add('ADD a.tar /n/', { 'a.tar': archive })).toEqual([
      'd 755 0:0 n',
      'f 644 0:0 n/a=data',
      'd 755 0:0 n/m',
      'h 644 0:0 n/m/n->n/a',
      'h 644 0:0 n/z->n/a',
    ]);
  });

  test('symlinks of the archive and of the image are followed inside the image', async () => {
    const archive = tar(
      entry({ name: 'lib', type: '2', linkName: 'usr/lib' }),
      entry({ name: 'usr/lib/', type: '5', mode: 0o755 }),
      entry({ name: 'lib/x', mode: 0o644 }, 'x'),
      entry({ name: 'out', type: '2', linkName: '../../../etc' }),
      entry({ name: 'out/passwd', mode: 0o644 }, 'p'),
      entry({ name: 'lnk/y', mode: 0o644 }, 'y'),
    );
    expect(await add('ADD a.tar /', { 'a.tar': archive })).toEqual([
      'd 711 7:8 dst',
      'f 644 0:0 dst/y=y',
      'd 755 0:0 etc',
      'f 644 0:0 etc/passwd=p',
      'l 644 0:0 lib->usr/lib',
      'l 644 0:0 out->../../../etc',
      'd 755 0:0 usr',
      'd 755 0:0 usr/lib',
      'f 644 0:0 usr/lib/x=x',
    ]);
  });

  test('devices and fifos come along', async () => {
    const archive = tar(
      entry({ name: 'null', type: '3', major: 1, minor: 3, mode: 0o666 }),
      entry({ name: 'pipe', type: '6', mode: 0o600 }),
    );
    expect(await add('ADD a.tar /n', { 'a.tar': archive })).toEqual([
      'd 755 0:0 n',
      'c 666 0:0 n/null 1,3',
      'p 600 0:0 n/pipe',
    ]);
  });

  test('zstd and gzip of several parts, cut between two entries', async () => {
    const [one, two] = [
      entry({ name: 'one', mode: 0o644 }, 'x'),
      tar(entry({ name: 'two', mode: 0o644 }, 'y')),
    ];
    for (const compress of [gzipSync, zstdCompressSync]) {
      const archive = Buffer.concat([compress(one), compress(two)]);
      expect(await add('ADD a /', { a: archive })).toEqual(['f 644 0:0 one=x', 'f 644 0:0 two=y']);
    }
  });

  const good = tarOf(['f 644 0:0 f=content']);
  test.each([
    ['cut off', good.subarray(0, 515), 'corrupt'],
    [
      'a gzip that is cut off',
      gzipSync(tarOf([`f 644 0:0 f=${'x'.repeat(5000)}`])).subarray(0, -8),
      'corrupt',
    ],
    ['leaves the root', tar(entry({ name: '../../etc/passwd' }, 'x')), 'hostile'],
    ['deletes', tar(entry({ name: 'd/.wh.x' })), 'unsupported'],
    ['hides', tar(entry({ name: 'd/.wh..wh..opq' })), 'unsupported'],
  ])('%s', async (_what, archive, code) => {
    await expect(add('ADD a.tar /n', { 'a.tar': archive })).rejects.toMatchObject({
      code,
      message: expect.stringContaining('cannot unpack the archive a.tar'),
      location: { file: 'Dockerfile', line: 2, column: 5 },
      hint: 'with --unpack=false it is copied as a file',
    });
  });

  /** An archive of `hole`, which GNU tar makes in one of its formats for sparse files. */
  function sparseTar(format: string, make: string): Buffer {
    using folder = temporaryFolder();
    const { status } = spawnSync('sh', ['-c', `${make} && tar -c -S ${format} --mtime=@5 -f a.tar hole`], {
      cwd: folder.path,
    });
    expect(status).toBe(0);
    return readFileSync(join(folder.path, 'a.tar'));
  }

  const FORMATS = ['gnu', 'posix --sparse-version=0.0', 'posix --sparse-version=0.1', 'posix'];
  const HOLES = 'for n in 0 1 2 3 4 5 6; do echo $n | dd of=hole bs=64K seek=$((2 * n)) status=none; done';
  const WITH_HOLES = Buffer.alloc(12 * 65_536 + 2);
  for (let n = 0; n < 7; n++) WITH_HOLES.write(`${n}\n`, 2 * n * 65_536);

  test.each(FORMATS)('sparse files have zeros for their holes: %s', async (format) => {
    const archive = sparseTar(`--format=${format}`, HOLES);
    expect(archive.length).toBeLessThan(100_000);
    const [line] = await add('ADD --chown=0 a.tar /', { 'a.tar': archive });
    expect(line).toBe(`f 644 0:0 hole=${WITH_HOLES.toString('latin1')}`);
  });

  test('a sparse file may be nothing but a hole', async () => {
    const archive = sparseTar('--format=gnu', 'truncate -s 100K hole');
    expect(await add('ADD --chown=0 a.tar /', { 'a.tar': gzipSync(archive) })).toEqual([
      `f 644 0:0 hole=${'\0'.repeat(102_400)}`,
    ]);
  });

  test('sparse files that would fill the disk are refused', async () => {
    const archive = sparseTar('--format=posix', 'truncate -s 3G hole');
    await expect(add('ADD a.tar /n', { 'a.tar': archive })).rejects.toMatchObject({
      code: 'hostile',
      location: { file: 'Dockerfile', line: 2, column: 5 },
    });
  });

  test.each([
    ['', 'x'],
    ['.', 'x'],
    ['./', ''],
    ['/', ''],
  ])('what is called %j and is no folder means nothing, as in Docker', async (name, content) => {
    const types = content === '' ? ['5', '2', '6'] : ['0', '\0', '7'];
    for (const type of types) {
      const archive = tar(
        entry({ name: 'a', mode: 0o644 }, 'before'),
        entry({ name, type, mode: 0o600, linkName: type === '2' ? 'a' : '' }, content),
        entry({ name: 'b', mode: 0o644 }, 'after'),
      );
      const lines = ['d 755 0:0 n', 'f 644 0:0 n/a=before', 'f 644 0:0 n/b=after'];
      expect(await add('ADD a.tar /n/', { 'a.tar': archive })).toEqual(lines);
    }
  });

  test('--unpack=false copies the file', async () => {
    const lines = await add('ADD --unpack=false a.tar /n', { 'a.tar': good });
    expect(lines).toEqual([`f 644 0:0 n=${good.toString('latin1')}`]);
  });

  test.each([
    ['a tar', good, 'none'],
    ['gzip', gzipSync(good), 'gzip'],
    [
      'gzip of a long tar',
      gzipSync(tarOf([`f 644 0:0 f=${createHash('sha256').digest('hex').repeat(9000)}`])),
      'gzip',
    ],
    ['zstd', zstdCompressSync(good), 'zstd'],
    ['gzip of something else', gzipSync('hello'), undefined],
    ['zeros', Buffer.alloc(4096), undefined],
    ['text', Buffer.from('hello'.repeat(300)), undefined],
    ['nothing', Buffer.alloc(0), undefined],
    ['a damaged gzip', Buffer.concat([gzipSync(good).subarray(0, 12), Buffer.alloc(600, 7)]), undefined],
    ['what only begins like xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1, 2, 3]), undefined],
  ])('%s is seen for what it is', async (_what, content, form) => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'x'), content);
    const fd = openSync(join(folder.path, 'x'), 'r');
    try {
      expect(await detectArchive(fd)).toBe(form);
    } finally {
      closeSync(fd);
    }
  });
});

describe('remote files', () => {
  const content = Buffer.from('remote content');
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  let server: Server;
  let url: string;
  let requests: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      requests.push(request.url!);
      const path = request.url!.split('?')[0]!;
      if (path === '/moved') response.writeHead(302, { location: '/files/a%20b.txt' }).end();
      else if (path === '/cut')
        response.writeHead(200, { 'content-length': '99' }).end('short', () => response.destroy());
      else if (path === '/missing') response.writeHead(404).end();
      else if (path === '/broken') response.writeHead(500).end();
      else if (path.endsWith('.tar')) response.end(tarOf(['f 644 0:0 f=x']));
      else response.writeHead(200, { 'last-modified': 'Sun, 09 Sep 2001 01:46:40 GMT' }).end(content);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test.each([
    ['/files/a%20b.txt /x/', ['d 755 0:0 x', 'f 600 0:0 x/a b.txt=remote content']],
    ['/files/name.txt /x/', ['d 755 0:0 x', 'f 600 0:0 x/name.txt=remote content']],
    ['/moved?a=b /x/', ['d 755 0:0 x', 'f 600 0:0 x/moved=remote content']],
    ['/ /x/', ['d 755 0:0 x', 'f 600 0:0 x/__unnamed__=remote content']],
    ['/a /x', ['f 600 0:0 x=remote content']],
    ['/a /dst', ['d 711 7:8 dst', 'f 600 0:0 dst/a=remote content']],
    ['/a.tar /x', [`f 600 0:0 x=${tarOf(['f 644 0:0 f=x']).toString('latin1')}`]],
  ])('ADD %s', async (line, expected) => {
    expect(await add(`ADD ${url}${line}`, {})).toEqual(expected);
  });

  test('--chmod, --chown and --unpack', async () => {
    expect(await add(`ADD --chmod=644 --chown=5 ${url}/a /x`, {})).toEqual(['f 644 5:5 x=remote content']);
    expect(await add(`ADD --unpack ${url}/a.tar /x`, {})).toEqual(['d 755 0:0 x', 'f 644 0:0 x/f=x']);
    expect(await add(`ADD --unpack=true ${url}/a /x`, {})).toEqual(['f 600 0:0 x=remote content']);
  });

  test('a checksum is held against what comes', async () => {
    expect(await add(`ADD --checksum=${digest} ${url}/a /x`, {})).toEqual(['f 600 0:0 x=remote content']);
    const wrong = `sha256:${'0'.repeat(64)}`;
    await expect(add(`ADD --checksum=${wrong} ${url}/a /x`, {})).rejects.toMatchObject({
      code: 'digest-mismatch',
      message: expect.stringContaining(digest),
    });
    await expect(add(`ADD --checksum=sha256:12 ${url}/a /x`, {})).rejects.toMatchObject({ code: 'syntax' });
  });

  test('with a checksum nothing is fetched before it is needed', async () => {
    const { remoteFetcher } = await import('../../../src/builder/add/remote.ts');
    using folder = temporaryFolder();
    requests = [];
    const fetch = remoteFetcher({ file: 'Dockerfile', scratch: folder.path });
    const at = { line: 1, column: 1 };
    const file = await fetch({ text: `${url}/a`, at }, { text: digest, at });
    expect([file.digest, requests]).toEqual([digest, []]);
    await Promise.all([file.load(), file.load()]);
    expect(requests).toEqual(['/a']);
  });

  test.each([
    ['/missing', 'not-found', '404'],
    ['/broken', 'network', '500'],
    ['/cut', 'network', 'cannot fetch'],
  ])('ADD %s fails', async (path, code, message) => {
    await expect(add(`ADD ${url}${path} /x`, {})).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
      location: { file: 'Dockerfile', line: 2, column: 5 },
    });
  });

  test('nobody there', async () => {
    await expect(add('ADD http://127.0.0.1:1/x /x', {})).rejects.toMatchObject({ code: 'network' });
  });
});

test.each([
  ['https://example.com/a.tar', 'http'],
  ['http://example.com/', 'http'],
  ['https://example.com/a.git', 'git'],
  ['https://example.com/a.git#v1:sub', 'git'],
  ['https://example.com/x?y=a.git', 'http'],
  ['git@example.com:a/b.git', 'git'],
  ['ssh://git@example.com/a', 'git'],
  ['git://example.com/a', 'git'],
  ['a.git', undefined],
  ['dir/http://x', undefined],
  ['HTTP://example.com', undefined],
])('%s is a source of kind %s', (text, kind) => {
  expect(remoteKind(text)).toBe(kind);
});
