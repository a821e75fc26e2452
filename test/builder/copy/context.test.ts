import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type BuildContext, type ContextRequest, openContext } from '../../../src/builder/context/context.ts';
import { copyDigest } from '../../../src/builder/copy/content-digest.ts';
import { selectCopy } from '../../../src/builder/copy/select.ts';
import { tarOf } from '../../support/builder/copy-fixture.ts';
import { temporaryFolder } from '../../support/builder/copy-run.ts';
import { instruction } from '../../support/builder/dockerfile-instruction.ts';
import { entry } from '../../support/layer/raw-tar.ts';

function open(
  scratch: string,
  request: Partial<ContextRequest>,
  stdin: Buffer | string = '',
): Promise<BuildContext> {
  return openContext({ context: '.', stdin: () => Readable.from([Buffer.from(stdin)]), scratch, ...request });
}

function names({ source }: BuildContext): string[] {
  return source.children('').map(({ path }) => path);
}

describe('a folder', () => {
  test('with its Dockerfile and .dockerignore', async () => {
    using folder = temporaryFolder();
    for (const name of ['Dockerfile', 'a', 'b']) writeFileSync(join(folder.path, name), name);
    writeFileSync(join(folder.path, '.dockerignore'), 'b\nDockerfile\n');
    await using context = await open(folder.path, { context: folder.path });
    expect(names(context)).toEqual(['.dockerignore', 'a']);
    expect(context.dockerfile).toEqual({
      name: join(folder.path, 'Dockerfile'),
      content: Buffer.from('Dockerfile'),
    });
  });

  test("the Dockerfile's own ignore file comes first", async () => {
    using folder = temporaryFolder();
    for (const name of ['a', 'b', 'Other']) writeFileSync(join(folder.path, name), name);
    writeFileSync(join(folder.path, '.dockerignore'), 'b\n');
    writeFileSync(join(folder.path, 'Other.dockerignore'), 'a\n*ignore\nOther\n');
    await using context = await open(folder.path, {
      context: folder.path,
      dockerfile: join(folder.path, 'Other'),
    });
    expect(names(context)).toEqual(['b']);
    expect(context.source.whyMissing('a')).toContain('Other.dockerignore, line 1');
  });

  test('a Dockerfile outside it, and one by standard input', async () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, 'context'));
    writeFileSync(join(folder.path, 'context/a'), '');
    writeFileSync(join(folder.path, 'Outside'), 'FROM x');
    const context = join(folder.path, 'context');
    await using outside = await open(folder.path, { context, dockerfile: join(folder.path, 'Outside') });
    expect(outside.dockerfile.content.toString()).toBe('FROM x');
    writeFileSync(join(folder.path, 'context/.dockerignore'), 'a');
    await using piped = await open(folder.path, { context, dockerfile: '-' }, 'FROM y');
    expect([piped.dockerfile, names(piped)]).toEqual([
      { name: '-', content: Buffer.from('FROM y') },
      ['.dockerignore'],
    ]);
  });

  test('that is a symlink, and other names for a Dockerfile', async () => {
    using folder = temporaryFolder();
    mkdirSync(join(folder.path, 'real'));
    writeFileSync(join(folder.path, 'real/dockerfile'), 'FROM z');
    symlinkSync('real', join(folder.path, 'link'));
    await using context = await open(folder.path, { context: join(folder.path, 'link') });
    expect([names(context), context.dockerfile.content.toString()]).toEqual([['dockerfile'], 'FROM z']);
  });

  test.each([
    [{ context: '/nothing/here' }, 'not-found', 'the build context /nothing/here is not there'],
    [{ context: '/etc/passwd' }, 'invalid-argument', 'is a file, not a folder'],
    [{ context: '-', dockerfile: '-' }, 'usage', 'cannot both come by standard input'],
    [
      { context: 'https://example.com/x.git' },
      'unsupported',
      'cannot build from https://example.com/x.git yet',
    ],
    [{ context: 'git@example.com:x' }, 'unsupported', 'cannot build from git@example.com:x yet'],
  ])('%j', async (request, code, message) => {
    using folder = temporaryFolder();
    await expect(open(folder.path, request)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  test('without a Dockerfile, and with a faulty ignore file', async () => {
    using folder = temporaryFolder();
    writeFileSync(join(folder.path, 'Dockerfil'), '');
    await expect(open(folder.path, { context: folder.path })).rejects.toMatchObject({
      code: 'not-found',
      message: `there is no Dockerfile in ${folder.path}`,
      hint: `did you mean -f ${join(folder.path, 'Dockerfil')}?`,
    });
    writeFileSync(join(folder.path, 'Dockerfile'), '');
    writeFileSync(join(folder.path, '.dockerignore'), 'a\n!\n');
    await expect(open(folder.path, { context: folder.path })).rejects.toMatchObject({
      code: 'syntax',
      location: { file: join(folder.path, '.dockerignore'), line: 2, column: 1 },
    });
  });
});

describe('standard input', () => {
  const archive = tarOf([
    'f 644 7:8 Dockerfile=FROM tar',
    'f 644 0:0 .dockerignore=d',
    'd 750 3:4 d',
    'f 600 5:6 d/f=F',
    'f 644 0:0 d/Other=FROM other',
    'l 777 0:0 l->d/f',
  ]);

  test.each([
    ['a tar', archive],
    ['a compressed tar', gzipSync(archive)],
  ])('%s', async (_what, bytes) => {
    using folder = temporaryFolder();
    {
      await using context = await open(folder.path, { context: '-' }, bytes);
      expect(context.dockerfile).toEqual({ name: 'Dockerfile', content: Buffer.from('FROM tar') });
      expect(names(context)).toEqual(['.dockerignore', 'Dockerfile', 'd', 'l']);
      expect(context.source.entry('d/f')).toMatchObject({ uid: 5, gid: 6, mode: 0o600, sizeBytes: 1 });
      const copy = instruction('COPY', 'COPY l d /x/');
      const selection = await selectCopy({ instruction: copy, file: 'Dockerfile', source: context.source });
      expect(await copyDigest(selection)).toMatch(/^sha256:/);
    }
    expect(readdirSync(folder.path)).toEqual(['context-stdin']);
  });

  test('another Dockerfile in the tar', async () => {
    using folder = temporaryFolder();
    await using context = await open(folder.path, { context: '-', dockerfile: './d/Other' }, archive);
    expect(context.dockerfile.content.toString()).toBe('FROM other');
  });

  test('a Dockerfile alone has no files', async () => {
    using folder = temporaryFolder();
    await using context = await open(folder.path, { context: '-' }, 'FROM scratch\nCOPY a /\n');
    expect([context.dockerfile.name, names(context)]).toEqual(['-', []]);
    const copy = instruction('COPY', 'COPY a /');
    await expect(selectCopy({ instruction: copy, file: '-', source: context.source })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('a Dockerfile from standard input has none'),
    });
  });

  test.each([
    [tarOf(['f 644 0:0 x=y']), undefined, 'not-found'],
    [archive, 'd', 'not-found'],
    [Buffer.from('FROM x'), 'Dockerfile', 'usage'],
    [archive.subarray(0, 515), undefined, 'corrupt'],
  ])('faults', async (bytes, dockerfile, code) => {
    using folder = temporaryFolder();
    const request = dockerfile === undefined ? { context: '-' } : { context: '-', dockerfile };
    await expect(open(folder.path, request, bytes)).rejects.toMatchObject({ code });
  });
});

test('a context by standard input may have sparse files, and entries without a name', async () => {
  using folder = temporaryFolder();
  const make =
    'echo FROM x > Dockerfile && truncate -s 1M hole && echo end >> hole && tar -cS -f a.tar Dockerfile hole';
  expect(spawnSync('sh', ['-c', make], { cwd: folder.path }).status).toBe(0);
  const archive = readFileSync(join(folder.path, 'a.tar'));
  const stdin = Buffer.concat([entry({ name: '', mode: 0o644 }, 'nothing'), archive]);
  await using context = await open(folder.path, { context: '-' }, stdin);
  expect(names(context)).toEqual(['Dockerfile', 'hole']);
  const { source } = context;
  const content = Buffer.concat([Buffer.alloc(1024 * 1024), Buffer.from('end\n')]);
  expect(await source.digests([source.entry('hole')!])).toEqual([
    createHash('sha256').update(content).digest('hex'),
  ]);
});
