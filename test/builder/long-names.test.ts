import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadImages } from '../../src/image/archive/load-images.ts';
import { saveImages } from '../../src/image/archive/save-images.ts';
import { pushImages } from '../../src/image/transfer/push-images.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { buildHost, type TestBuildHost } from '../support/builder/build-host.ts';
import { FakeRegistry } from '../support/registry/fake-registry.ts';

/** As long as a name can be, in bytes. */
const NAME = 'n'.repeat(255);
const FOLDER = 'd'.repeat(255);
/** More of them than ustar takes, and a path that is longer. */
const DEEP = Array.from({ length: 10 }, () => FOLDER).join('/');

const DOCKERFILE = `FROM busybox
COPY . /copied
RUN mkdir -p /run/${DEEP} && echo deep > /run/${DEEP}/${NAME} && echo gone > /${NAME} && mkdir /${FOLDER} && touch /${FOLDER}/old
RUN rm /${NAME} /copied/${NAME}-gone && rm -r /${FOLDER} && mkdir /${FOLDER} && touch /${FOLDER}/new
WORKDIR /${FOLDER}/${NAME}
`.replaceAll('-gone', '');
const LOOK = `RUN cat /run/${DEEP}/${NAME} && ls /${FOLDER} /copied && ls -d /${NAME} 2>/dev/null || pwd\n`;
const SHOWN = `deep\n/copied:\n${FOLDER}\n\n/${FOLDER}:\nnew\n${NAME}\n/${FOLDER}/${NAME}\n`;

let made: TestBuildHost;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocits-names-'));
  made = await buildHost();
  await writeFile(join(made.context, NAME), 'copied and removed');
  await mkdir(join(made.context, FOLDER));
});
afterAll(async () => {
  await made[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test('names of 255 bytes, and whiteouts of them, are built, pushed and pulled, saved and loaded', async () => {
  await using registry = await FakeRegistry.start();
  const name = `${registry.host}/names:1`;
  await made.build(DOCKERFILE, { tags: ['names', name] });
  await made.build(`FROM names\n${LOOK}`, { noCache: true });
  expect(made.output()).toBe(SHOWN);

  await pushImages(made.engine, made.call, { references: [parseReference(name)] });
  await using puller = await buildHost();
  await puller.build(`FROM ${name}\n${LOOK}`);
  expect(puller.output()).toBe(SHOWN);

  for (const format of ['docker-archive', 'oci-archive'] as const) {
    const output = join(folder, format);
    await saveImages(made.engine, made.call, ['names'], { format, output });
    await using loader = await buildHost();
    await loadImages(loader.engine, loader.call, { path: output });
    // What is listed without unpacking says the same.
    const copied = `FROM busybox\nCOPY --from=names /copied /copied\nCOPY --from=names /${FOLDER} /${FOLDER}\n`;
    await loader.build(`${copied}RUN ls /copied /${FOLDER}\n`);
    expect(loader.output()).toBe(`/copied:\n${FOLDER}\n\n/${FOLDER}:\nnew\n${NAME}\n`);
    await loader.build(`FROM names\n${LOOK}`);
    expect(loader.output()).toBe(SHOWN);
  }
}, 120_000);

const LONG = 'n'.repeat(256);
const FAR = `${`${'p'.repeat(200)}/`.repeat(20)}${'p'.repeat(100)}`;

test.each([
  ['COPY', `COPY ${NAME} /${LONG}`, 'has a name of more than 255 bytes'],
  ['a folder of COPY', `COPY ${NAME} /${LONG}/`, 'has a name of more than 255 bytes'],
  ['a here-document', `COPY <<E /x/${LONG}\nE`, 'has a name of more than 255 bytes'],
  ['a path', `COPY ${NAME} /${FAR}`, 'has a path of 4120 bytes; 4095 is the most'],
  ['WORKDIR', `WORKDIR /${LONG}`, 'has a name of more than 255 bytes'],
  ['WORKDIR by parts', `WORKDIR /${FAR.slice(0, 2009)}\nWORKDIR ${FAR.slice(2010)}/x/y`, 'has a path of'],
])('a name that no file can have is refused where it is made: %s', async (_what, lines, message) => {
  await expect(made.build(`FROM busybox\n${lines}\n`)).rejects.toMatchObject({
    message: expect.stringContaining(message),
    location: { file: '-' },
  });
});

test.each([LONG, `${LONG}/x`, `x/${LONG}`])(
  'a source whose name no file can have is not there',
  async (source) => {
    await expect(made.build(`FROM scratch\nCOPY ${source} /x\n`)).rejects.toMatchObject({
      code: 'not-found',
      location: { line: 2, column: 6 },
    });
  },
);

test('a pattern below such a name matches nothing', async () => {
  const image = await made.build(`FROM scratch\nCOPY ${LONG}/*.c /x/\n`);
  expect(image.config.rootfs.diff_ids).toHaveLength(1);
});
