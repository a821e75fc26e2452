import { chmod, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BuildError } from '../../../src/builder/request/build-error.ts';
import { buildHost, type TestBuildHost } from '../../support/builder/build-host.ts';

let made: TestBuildHost;
beforeAll(async () => {
  made = await buildHost();
});
afterAll(async () => {
  await made[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await rm(made.context, { recursive: true });
  await mkdir(made.context);
});

async function files(contents: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(contents)) {
    const full = join(made.context, path);
    await mkdir(dirname(full), { recursive: true });
    await writeFile(full, content);
  }
}

const HELLO = `FROM busybox
WORKDIR /app
COPY package.json .
RUN cat package.json && echo installed > node_modules
COPY . .
ENV NODE_ENV production
EXPOSE 3000
CMD ["cat", "/app/server.js"]
`;

describe('the Dockerfile of the first example', () => {
  it('is built, then all cached with the same ID, then from the first file that was touched on', async () => {
    await files({ 'package.json': '{}', 'server.js': 'one', 'lib/a.js': 'a' });
    const first = await made.build(HELLO, { tags: ['hello'] });
    expect(first.config.rootfs.diff_ids).toHaveLength(5);

    const second = await made.build(HELLO, { tags: ['hello'] });
    expect(new Set(Object.values(made.outcomes()))).toEqual(new Set(['cached']));
    expect(second.id).toBe(first.id);

    await files({ 'server.js': 'two' });
    const third = await made.build(HELLO, { tags: ['hello'] });
    expect(made.outcomes()).toMatchObject({
      '[4/5] RUN cat package.json && echo installed > node_modules': 'cached',
      '[5/5] COPY . .': 'done',
    });
    expect(made.reasons()).toEqual({ '[5/5] COPY . .': 'changed: files' });
    expect(third.config.rootfs.diff_ids.slice(0, 4)).toEqual(first.config.rootfs.diff_ids.slice(0, 4));

    await files({ 'package.json': '{"a":1}' });
    await made.build(HELLO);
    expect(made.outcomes()).toMatchObject({
      '[2/5] WORKDIR /app': 'cached',
      '[3/5] COPY package.json .': 'done',
      '[4/5] RUN cat package.json && echo installed > node_modules': 'done',
    });
    // What follows from the change below needs no reason of its own.
    expect(made.reasons()).toEqual({
      '[3/5] COPY package.json .': 'changed: files',
      '[5/5] COPY . .': 'changed: files',
    });
  });

  it('does not care when files were changed, only how', async () => {
    await files({ 'package.json': '{}', 'server.js': 'x' });
    await made.build(HELLO);
    await utimes(join(made.context, 'server.js'), 1, 1);
    await made.build(HELLO);
    expect(made.outcomes()).toHaveProperty('[5/5] COPY . .', 'cached');
    await chmod(join(made.context, 'server.js'), 0o755);
    await made.build(HELLO);
    expect(made.outcomes()).toHaveProperty('[5/5] COPY . .', 'done');
  });

  it('gives the same ID on another machine, with SOURCE_DATE_EPOCH', async () => {
    await files({ 'package.json': '{}', 'server.js': 'x' });
    const here = await made.build(HELLO, { epoch: 1_700_000_000 });
    const anew = await made.build(HELLO, { epoch: 1_700_000_000, noCache: true });
    expect(made.outcomes()).toHaveProperty('[3/5] COPY package.json .', 'done');
    expect(anew.id).toBe(here.id);
    expect(here.config.created).toBe('2023-11-14T22:13:20Z');
    expect(here.config.history?.every(({ created }) => created !== undefined)).toBe(true);
    await using other = await buildHost();
    for (const [path, content] of [
      ['package.json', '{}'],
      ['server.js', 'x'],
    ] as const) {
      await writeFile(join(other.context, path), content);
    }
    expect((await other.build(HELLO, { epoch: 1_700_000_000 })).id).toBe(here.id);
  });

  it('without a source of times is not the same when done anew', async () => {
    await files({ 'package.json': '{}', 'server.js': 'x' });
    const one = await made.build(HELLO);
    await new Promise((resolve) => setTimeout(resolve, 10));
    const two = await made.build(HELLO, { noCache: true });
    expect(two.id).not.toBe(one.id);
    expect((await made.build(HELLO)).id).toBe(two.id);
  });
});

describe('COPY', () => {
  const run = async (steps: string) => {
    await made.build(`FROM busybox\n${steps}\n`, { noCache: true });
    return made.output();
  };

  it('sets owners, modes and folders', async () => {
    await files({ a: 'a', 'd/b': 'b', 'd/e/c': 'c' });
    await chmod(join(made.context, 'a'), 0o640);
    await symlink('a', join(made.context, 'd/link'));
    const steps = [
      'COPY --chown=www-data a /owned/',
      'COPY --chmod=700 --chown=1:2 d /d2',
      'WORKDIR /w',
      'COPY d/b d/e/c ./',
      "RUN cd / && stat -c '%n %a %u:%g %F' owned owned/a d2/b d2/e/c d2/link w/b w/c",
    ];
    expect((await run(steps.join('\n'))).trimEnd().split('\n')).toEqual([
      'owned 755 33:33 directory',
      'owned/a 640 33:33 regular file',
      'd2/b 700 1:2 regular file',
      'd2/e/c 700 1:2 regular file',
      'd2/link 777 1:2 symbolic link',
      'w/b 644 0:0 regular file',
      'w/c 644 0:0 regular file',
    ]);
  });

  it('leaves out what .dockerignore lists', async () => {
    await files({
      '.dockerignore': 'secret\n**/*.log\n!keep.log\n',
      secret: 's',
      'x.log': 'x',
      'keep.log': 'k',
      f: 'f',
    });
    expect(await run('COPY . /c\nRUN cd /c && ls -A')).toBe('.dockerignore\nf\nkeep.log\n');
  });

  it('from another stage, by name and number, and from an image', async () => {
    const text = `FROM busybox AS one
RUN mkdir /out && echo 1 > /out/f && ln /out/f /out/g && ln -s f /out/s
FROM busybox AS two
RUN echo 2 > /two
FROM scratch
COPY --from=one /out /out
COPY --from=1 /two /
COPY --from=busybox /bin/busybox /bin/
RUN ["/bin/busybox", "sh", "-c", "cd /; busybox cat two out/g; busybox readlink out/s; busybox ls"]
`;
    await made.build(text, { noCache: true });
    expect(made.output()).toBe('2\n1\nf\nbin\ndev\netc\nout\nproc\nsys\ntwo\n');
    await made.build(text);
    expect(new Set(Object.values(made.outcomes()))).toEqual(new Set(['cached']));
  });

  it('from a stage that was built anew with the same files is still cached', async () => {
    const text = (word: string) => `FROM busybox AS one
RUN echo ${word} > /log && echo same > /file
FROM scratch
COPY --from=one /file /file
`;
    const first = await made.build(text('first'));
    const second = await made.build(text('second'));
    expect(made.outcomes()).toMatchObject({
      [`[one 2/2] RUN echo second > /log && echo same > /file`]: 'done',
      '[stage-1 1/1] COPY --from=one /file /file': 'cached',
    });
    expect(second.id).toBe(first.id);
  });

  it('with --link is the same layer on another base', async () => {
    await files({ f: 'f' });
    const one = await made.build('FROM busybox\nCOPY --link f /d/f\n');
    const two = await made.build('FROM scratch\nCOPY --link f /d/f\n');
    expect(made.outcomes()).toEqual({ '[1/1] COPY --link f /d/f': 'cached' });
    expect(two.config.rootfs.diff_ids).toEqual(one.config.rootfs.diff_ids.slice(1));
  });

  it('leaves folders that exist as they are, with --link, --chown and --chmod, too', async () => {
    await files({ f: 'f', 'd/e/g': 'g' });
    const steps = `RUN mkdir -m 1777 /t && mkdir -m 2750 /o && chown 7:8 /o && mkdir -m 700 /o/e && chown 9:9 /o/e
COPY --link --chmod=644 f /etc/
COPY --link --chown=1:2 f /t/f
COPY --link --chmod=u+x --chown=www-data f /o/new/f
COPY --link --chown=3 d /o
COPY --link --chmod=600 --from=busybox /bin/sh /t/
ADD --link --chmod=600 f /t/added
COPY --link --chown=4 --parents d/e/g /t/
RUN stat -c '%n %a %u:%g' etc etc/f t t/f o o/new o/new/f o/e o/e/g t/sh t/added t/d t/d/e t/d/e/g`;
    expect((await run(steps)).trimEnd().split('\n')).toEqual([
      'etc 755 0:0',
      'etc/f 644 0:0',
      't 1777 0:0',
      't/f 644 1:2',
      'o 2750 7:8',
      'o/new 755 33:33',
      'o/new/f 744 33:33',
      'o/e 755 3:3',
      'o/e/g 644 3:3',
      't/sh 600 0:0',
      't/added 600 0:0',
      't/d 755 4:4',
      't/d/e 755 4:4',
      't/d/e/g 644 4:4',
    ]);
  });

  it('with --link and --chown is another layer where the folders below differ', async () => {
    await files({ f: 'f' });
    const text = (mode: string) => `FROM busybox AS base
RUN mkdir -m ${mode} /d
FROM base
COPY --link --chown=1 f /d/f
`;
    const one = await made.build(text('700'));
    const two = await made.build(text('711'));
    expect(made.outcomes()).toHaveProperty('[stage-1 1/1] COPY --link --chown=1 f /d/f', 'done');
    expect(two.config.rootfs.diff_ids.at(-1)).not.toBe(one.config.rootfs.diff_ids.at(-1));
  });

  it('is in the history as BuildKit writes it', async () => {
    await files({ f: 'f' });
    const image = await made.build(
      'FROM scratch\nCOPY --link --chmod=600 --exclude=*.log f <<EOF /d/\nEOF\nADD --link --chown=1 f /g\n',
    );
    expect(image.config.history?.map(({ created_by }) => created_by)).toEqual([
      'COPY --chmod=600 f <<EOF /d/ # buildkit',
      'ADD --chown=1 f /g # buildkit',
    ]);
  });

  it('tells a source that is not there, with its place', async () => {
    await files({ 'package.json': '{}' });
    const error = await run('COPY pakage.json /').then(
      () => expect.fail('it did not fail'),
      (caught: BuildError) => caught,
    );
    expect(error).toMatchObject({ code: 'not-found', location: { file: '-', line: 2, column: 6 } });
    expect(error.report.excerpt).toContain('   2 | >>> COPY pakage.json /');
  });

  it('needs neither crun nor an unpacked base', async () => {
    await files({ f: 'f' });
    const broken = async () => expect.fail('something was started');
    const { buildImage } = await import('../../../src/builder/build.ts');
    const { createOverlaySnapshotter } = await import('../../../src/snapshotter/overlay-snapshotter.ts');
    const { addImage } = await import('../../support/image/busybox-image.ts');
    const { tarBytes } = await import('../../support/layer/tar-bytes.ts');
    const layer = tarBytes([
      { path: 'app/', type: 'directory' },
      { path: 'srv', type: 'symlink', target: 'app' },
      { path: 'etc/passwd', content: 'own:x:5:6::/:/bin/sh\n' },
    ]);
    await addImage(made.store, { reference: 'packed', layers: [layer] });
    const snapshotter = {
      ...createOverlaySnapshotter(made.store.paths),
      apply: () => expect.fail('a layer was unpacked'),
    };
    const text = 'FROM packed\nWORKDIR /srv/x\nUSER own\nWORKDIR y\nCOPY --chown=own f .\nCOPY f /srv/\n';
    const engine = {
      ...made.engine,
      supervisor: broken,
      snapshotter: async () => snapshotter,
    };
    const image = await buildImage(engine, made.call, made.request(text));
    expect(image.config.rootfs.diff_ids).toHaveLength(5);
  });
});

describe('a build', () => {
  it('goes by --target, build args, labels and several names', async () => {
    const text = 'ARG V=1\nFROM busybox AS one\nARG V\nENV V=$V\nFROM busybox\nRUN false\n';
    const options = { target: 'one', buildArgs: { V: '2' }, labels: { a: 'b' }, tags: ['x:1', 'y'] };
    const image = await made.build(text, options);
    expect(image.config.config).toMatchObject({ Labels: { a: 'b' } });
    expect(image.config.config?.Env).toContain('V=2');
    const refs = await made.store.refs.list();
    expect(
      refs.filter(({ descriptor }) => descriptor.digest === image.manifestDescriptor.digest),
    ).toHaveLength(2);
  });

  it('without a name is kept by its ID', async () => {
    const image = await made.build('FROM busybox\nLABEL only=here\n');
    const nameless = await made.store.refs.anonymous();
    expect(nameless.map(({ descriptor }) => descriptor.digest)).toContain(image.manifestDescriptor.digest);
  });

  it('warns of build args that nobody asked for', async () => {
    await made.build('FROM busybox\n', { buildArgs: { NOBODY: '1' } });
    expect(made.events).toContainEqual(
      expect.objectContaining({ type: 'message', level: 'warning', text: expect.stringContaining('NOBODY') }),
    );
  });

  it('warns of a variable that is not set, unless that is skipped or to be an error', async () => {
    const text = 'FROM scratch\nLABEL a=$NONE\n';
    const warnings = () =>
      made.events.filter((event) => event.type === 'message' && event.level === 'warning');
    await made.build(text);
    expect(warnings()).toMatchObject([{ text: "UndefinedVar: variable '$NONE' is not set (-:2)" }]);
    await made.build(`# check=skip=UndefinedVar\n${text}`);
    expect(warnings()).toEqual([]);
    await expect(made.build(`# check=error=true\n${text}`)).rejects.toMatchObject({
      code: 'syntax',
      location: { line: 3, column: 9 },
    });
  });

  it('from scratch with nothing is an empty image', async () => {
    const image = await made.build('FROM scratch\nCMD ["/x"]\n');
    expect(image.config.rootfs.diff_ids).toEqual([]);
    expect(image.config).not.toHaveProperty('created');
  });

  it('shows a syntax error with its line', async () => {
    await expect(made.build('FROM busybox\n\nRUNN x\n')).rejects.toMatchObject({
      code: 'syntax',
      location: { line: 3 },
      report: { excerpt: expect.stringContaining('   3 | >>> RUNN x') },
    });
  });

  it('builds branches at the same time', async () => {
    // Neither ends before the other has begun.
    const meet = (own: string, other: string) =>
      `RUN --mount=type=cache,id=meet,target=/c touch /c/${own}; until test -e /c/${other}; do sleep 0.02; done`;
    const text = `FROM busybox AS a
${meet('a', 'b')}
FROM busybox AS b
${meet('b', 'a')}
FROM scratch
COPY --from=a /etc/passwd /a
COPY --from=b /etc/passwd /b
`;
    await made.build(text, { noCache: true });
    const started = made.events.flatMap((event) =>
      event.type === 'step' && / RUN /.test(event.label) ? [event.state] : [],
    );
    expect(started.slice(0, 2)).toEqual(['started', 'started']);
  });

  it('counts a damaged or missing layer as not cached', async () => {
    await files({ f: 'unique content' });
    const image = await made.build('FROM scratch\nCOPY f /\n');
    const [diffId] = image.config.rootfs.diff_ids;
    await made.store.blobs.delete(diffId!);
    await made.build('FROM scratch\nCOPY f /\n');
    expect(made.outcomes()).toEqual({ '[1/1] COPY f /': 'done' });
    expect(made.reasons()).toEqual({ '[1/1] COPY f /': 'its cache entry is gone' });
  });
});
