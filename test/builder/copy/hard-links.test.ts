import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseIgnoreFile } from '../../../src/builder/context/ignore-file.ts';
import { copyDigest } from '../../../src/builder/copy/content-digest.ts';
import { buildHost } from '../../support/builder/build-host.ts';
import { type CopyRunRequest, runCopy, temporaryFolder } from '../../support/builder/copy-run.ts';

let folder: ReturnType<typeof temporaryFolder>;
let context: string;
beforeAll(() => {
  folder = temporaryFolder();
  context = join(folder.path, 'context');
  makeLinks(context);
});
afterAll(() => folder[Symbol.dispose]());

/** `d/a`, `d/z` and `top` are one file, `d/sub/b` is another with the same content. */
function makeLinks(root: string): void {
  mkdirSync(join(root, 'd/sub'), { recursive: true });
  writeFileSync(join(root, 'd/z'), 'one');
  linkSync(join(root, 'd/z'), join(root, 'd/a'));
  linkSync(join(root, 'd/z'), join(root, 'top'));
  writeFileSync(join(root, 'd/sub/b'), 'one');
}

async function files(lines: string, more: Partial<CopyRunRequest> = {}): Promise<string[]> {
  const run = await runCopy({ lines, context, scratch: folder.path, ...more });
  return run.lines.filter((line) => !line.startsWith('d'));
}

describe('hard links of the context', () => {
  test.each([
    ['COPY d /x', ['f 644 0:0 x/a=one', 'f 644 0:0 x/sub/b=one', 'h 644 0:0 x/z->x/a']],
    ['COPY . /', ['f 644 0:0 d/a=one', 'f 644 0:0 d/sub/b=one', 'h 644 0:0 d/z->d/a', 'h 644 0:0 top->d/a']],
    ['COPY --parents d /x', ['f 644 0:0 x/d/a=one', 'f 644 0:0 x/d/sub/b=one', 'h 644 0:0 x/d/z->x/d/a']],
    ['COPY --parents **/[az] /x/', ['f 644 0:0 x/d/a=one', 'h 644 0:0 x/d/z->x/d/a']],
    ['COPY --parents ./d/./z /x/', ['f 644 0:0 x/z=one']],
    ['COPY --exclude=a d /x', ['f 644 0:0 x/sub/b=one', 'f 644 0:0 x/z=one']],
    ['COPY --chown=5 --chmod=g+w d /x', ['f 664 5:5 x/a=one', 'f 664 5:5 x/sub/b=one', 'h 664 5:5 x/z->x/a']],
    ['COPY --link d /x', ['f 644 0:0 x/a=one', 'f 644 0:0 x/sub/b=one', 'h 644 0:0 x/z->x/a']],
    ['ADD d /x', ['f 644 0:0 x/a=one', 'f 644 0:0 x/sub/b=one', 'h 644 0:0 x/z->x/a']],
  ])('%s', async (lines, expected) => {
    expect(await files(lines)).toEqual(expected);
  });

  test('are files of their own where each is a source, as in BuildKit', async () => {
    const apart = ['f 644 0:0 x/a=one', 'f 644 0:0 x/z=one'];
    expect(await files('COPY d/a d/z /x/')).toEqual(apart);
    expect(await files('COPY d/[az] /x/')).toEqual(apart);
    expect(await files('COPY --parents d/./a d/./z /x/')).toEqual(apart);
  });

  test('are one with what is copied alone', async () => {
    const rules = parseIgnoreFile('d/a\n', '.dockerignore');
    expect(await files('COPY . /x', { rules })).toEqual([
      'f 644 0:0 x/d/sub/b=one',
      'f 644 0:0 x/d/z=one',
      'h 644 0:0 x/top->x/d/z',
    ]);
  });

  test('whose first name another source replaces stay one file', async () => {
    expect(await files('COPY . <<a /d/\nnew\na', { context: join(context, 'd') })).toEqual([
      'f 644 0:0 d/a=new\n',
      'f 644 0:0 d/sub/b=one',
      'f 644 0:0 d/z=one',
    ]);
  });

  test('are in the digest', async () => {
    using other = temporaryFolder();
    makeLinks(other.path);
    const digestOf = async (root: string) =>
      copyDigest((await runCopy({ lines: 'COPY d /x', context: root, scratch: folder.path })).selection);
    expect(await digestOf(other.path)).toBe(await digestOf(context));
    using apart = temporaryFolder();
    mkdirSync(join(apart.path, 'd/sub'), { recursive: true });
    for (const name of ['a', 'z', 'sub/b']) writeFileSync(join(apart.path, 'd', name), 'one');
    expect(await digestOf(apart.path)).not.toBe(await digestOf(context));
  });
});

test('hard links of a stage go along, whichever layer has them, and are seen in mounts', async () => {
  await using made = await buildHost();
  makeLinks(made.context);
  const text = `FROM busybox AS one
RUN mkdir /s && echo 1 > /s/a && ln /s/a /s/b && ln /s/a /s/c
RUN echo 2 > /s/own
COPY d /s/d
FROM busybox
COPY --from=one /s /t
RUN cd /t && stat -c '%n %h' a b c own d/a d/z && test a -ef b && test b -ef c
RUN --mount=from=one,source=/s,target=/m stat -c '%h' /m/d/a
RUN --mount=target=/m cd /m && stat -c '%n %h' top && test top -ef d/a
`;
  await made.build(text, { noCache: true });
  expect(made.output()).toBe('a 3\nb 3\nc 3\nown 1\nd/a 2\nd/z 2\n2\ntop 3\n');
});
