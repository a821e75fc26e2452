import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { formatPlatform, hostPlatform } from '../../src/oci/platform.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { addImage, type TestImage } from '../support/image/busybox-image.ts';
import { tarBytes } from '../support/layer/tar-bytes.ts';
import { type OcitsRun, runOcits } from '../support/program/run-ocits.ts';

const LAYER = tarBytes([{ path: 'big', content: Buffer.alloc(1_500_000, 'x') }]);

let folder: string;
let store: Store;
let app: TestImage;
let dangling: TestImage;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocits-commands-'));
  store = await openStore({ root: join(folder, 'root'), run: join(folder, 'run') });
  app = await addImage(store, {
    reference: 'me/app:1',
    layers: [LAYER],
    created: '2020-01-01T00:00:00Z',
    config: { Cmd: ['sh'], Labels: { a: 'b' }, ExposedPorts: { '80/tcp': {} } },
  });
  await store.refs.put(parseReference(`me/app@${app.descriptor.digest}`), app.descriptor);
  dangling = await addImage(store, { layers: [LAYER], created: '2019-01-01T00:00:00Z' });
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

const CACHE = { NODE_COMPILE_CACHE: join(tmpdir(), 'ocits-test-compile-cache') };

const ocits = (...args: string[]): Promise<OcitsRun> => runOcits(folder, args, { env: CACHE });

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await ocits(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const years = (since: number) =>
  `${Math.floor((Date.now() - Date.UTC(since, 0)) / (365 * 24 * 3600 * 1000))} years ago`;
const short = (image: TestImage) => image.id.slice(7, 19);

test('images: Docker 29’s view, a line a name', async () => {
  const size = '1.5MB';
  expect(await ok('images')).toBe(
    [
      'IMAGE      ID             DISK USAGE   CONTENT SIZE   EXTRA',
      `me/app:1   ${short(app)}        1.5MB          ${size}`,
      '',
    ].join('\n'),
  );
  expect(await ok('images', '--all')).toBe(
    [
      'IMAGE        ID             DISK USAGE   CONTENT SIZE   EXTRA',
      `me/app:1     ${short(app)}        1.5MB          ${size}`,
      `<untagged>   ${short(dangling)}        1.5MB          ${size}`,
      '',
    ].join('\n'),
  );
  expect(await ok('images', '-f', 'dangling=true')).toContain(`<untagged>   ${short(dangling)}`);
  expect(await ok('images', 'nothing')).toBe('IMAGE   ID             DISK USAGE   CONTENT SIZE   EXTRA\n');
  expect(await ok('images', '--tree', 'me/app')).toBe(
    [
      'IMAGE            ID             DISK USAGE   CONTENT SIZE   EXTRA',
      `me/app:1         ${short(app)}        1.5MB          ${size}`,
      `└─ ${formatPlatform(hostPlatform())}   ${short(app)}        1.5MB          ${size}`,
      '',
    ].join('\n'),
  );
  for (const older of ['-q', '--no-trunc', '--digests', '--json', '--format=json']) {
    expect(await ocits('images', '--tree', older)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('does not go with --tree'),
    });
  }
});

test('images: the table of repositories and tags', async () => {
  expect(await ok('images', '--format', 'table')).toBe(
    [
      'REPOSITORY   TAG       IMAGE ID       CREATED       SIZE',
      `me/app       1         ${short(app)}   ${years(2020)}   1.5MB`,
      '',
    ].join('\n'),
  );
  expect(await ok('images', '-a', '--format', 'table')).toBe(
    [
      'REPOSITORY   TAG       IMAGE ID       CREATED       SIZE',
      `me/app       1         ${short(app)}   ${years(2020)}   1.5MB`,
      `<none>       <none>    ${short(dangling)}   ${years(2019)}   1.5MB`,
      '',
    ].join('\n'),
  );
  expect(await ok('image', 'ls', '--digests', 'me/*')).toBe(
    [
      `REPOSITORY   TAG       DIGEST${' '.repeat(68)}IMAGE ID       CREATED       SIZE`,
      `me/app       1         ${app.descriptor.digest}   ${short(app)}   ${years(2020)}   1.5MB`,
      '',
    ].join('\n'),
  );
});

test('images: -q, --no-trunc, filters, formats', async () => {
  expect(await ok('images', '-q')).toBe(`${short(app)}\n`);
  expect(await ok('images', '-aq', '--no-trunc')).toBe(`${app.id}\n${dangling.id}\n`);
  expect(await ok('images', '-f', 'dangling=true', '-q')).toBe(`${short(dangling)}\n`);
  expect(
    await ok('images', '--filter', 'label=a=b', '--format', '{{.Repository}}:{{.Tag}} {{.Digest}}'),
  ).toBe(`me/app:1 ${app.descriptor.digest}\n`);
  expect(await ok('images', '--format', 'table {{.ID}}\t{{.Size}}', 'me/app:1')).toBe(
    `IMAGE ID       SIZE\n${short(app)}   1.5MB\n`,
  );
  expect(JSON.parse(await ok('images', '--format', 'json', 'me/app'))).toMatchObject({
    ID: short(app),
    Repository: 'me/app',
    Tag: '1',
    CreatedAt: '2020-01-01 00:00:00 +0000 UTC',
    Size: '1.5MB',
  });
  expect(JSON.parse(await ok('images', '--json'))[0]).toMatchObject({ ID: app.id, SizeBytes: 1_500_000 });
  expect(await ok('images', '--format', 'table', 'nothing')).toBe(
    'REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n',
  );
  expect(await ok('images', '--format', 'table {{.ID}}\t{{.CreatedAt}}', 'nothing')).toBe(
    'IMAGE ID   CREATED AT\n',
  );
});

test('inspect, by both names, with templates', async () => {
  const [inspected] = JSON.parse(await ok('image', 'inspect', 'me/app:1'));
  expect(inspected).toMatchObject({ Id: app.id, RepoTags: ['me/app:1'], Config: { Labels: { a: 'b' } } });
  expect(
    await ok('image', 'inspect', '-f', '{{.Id}} {{.Config.User}} {{json .Config.ExposedPorts}}', 'me/app:1'),
  ).toBe(`${app.id}  {"80/tcp":{}}\n`);
  expect(await ok('inspect', '--type', 'image', '--format', '{{index .RepoTags 0}}', short(app))).toBe(
    'me/app:1\n',
  );
  const missing = await ocits('image', 'inspect', 'nothing');
  expect(missing).toMatchObject({ code: 1, stdout: '[]\n' });
  expect(missing.stderr).toContain('No such image: nothing');
});

test('history', async () => {
  expect(await ok('history', 'me/app:1')).toMatch(
    new RegExp(
      `^IMAGE {10}CREATED {7}CREATED BY   SIZE {6}COMMENT\n${short(app)}   \\d+ \\w+ ago +test {9}1\\.5MB {5}\n$`,
    ),
  );
  expect(
    await ok('image', 'history', '--human=false', '--format', '{{.CreatedAt}} {{.Size}}', 'me/app:1'),
  ).toBe(`2024-01-02T03:04:05Z 1500000\n`);
  expect(await ok('history', '-q', '--no-trunc', 'me/app:1')).toBe(`${app.id}\n`);
  expect(JSON.parse(await ok('history', '--json', 'me/app:1'))).toMatchObject([{ CreatedBy: 'test' }]);
});

test('save and load, by file and by pipe', async () => {
  const file = join(folder, 'saved.tar');
  expect(await ok('save', '-o', file, 'me/app:1', short(dangling))).toBe('');
  const other = await mkdtemp(join(tmpdir(), 'ocits-commands-'));
  try {
    const loaded = await runOcits(other, ['load', '-i', file]);
    expect(loaded).toMatchObject({
      code: 0,
      stdout: `Loaded image: me/app:1\nLoaded image ID: ${dangling.id}\n`,
      stderr: '',
    });
    execFileSync(
      'sh',
      ['-c', `"$NODE" "$MAIN" save me/app:1 | OCITS_ROOT="$OTHER/root2" "$NODE" "$MAIN" image load -q`],
      {
        env: {
          PATH: process.env['PATH'],
          NODE: process.execPath,
          MAIN: join(import.meta.dirname, '../../src/main.ts'),
          OTHER: other,
          OCITS_ROOT: join(folder, 'root'),
          OCITS_RUN: join(folder, 'run'),
        },
      },
    );
    const there = await openStore({ root: join(other, 'root2'), run: join(folder, 'run') });
    expect(await there.refs.resolve(parseReference('me/app:1'))).toBeDefined();
  } finally {
    await rm(other, { recursive: true, force: true });
  }
  expect(await ocits('save', 'nothing')).toMatchObject({ code: 1, stdout: '' });
  expect(await ocits('load', '-i', join(folder, 'nothing'))).toMatchObject({ code: 1 });
  const terminal = await runOcits(folder, ['save', 'me/app:1'], { terminal: true });
  expect(terminal.code).toBe(1);
  expect(terminal.stdout).toContain('cowardly refusing to save to a terminal');
});

test('import, with changes, from a file and from standard input', async () => {
  const tar = join(folder, 'rootfs.tar');
  await writeFile(tar, tarBytes([{ path: './etc/hello', content: 'hello' }]));
  const changes = [
    '-c',
    'CMD ["sh"]',
    '--change',
    'ENV A=b',
    '--change',
    'ENV C=$A',
    '-c',
    'ONBUILD RUN true',
  ];
  const id = (await ok('import', ...changes, '-m', 'hi', tar, 'imported:1')).trim();
  const [inspected] = JSON.parse(await ok('image', 'inspect', 'imported:1'));
  expect(inspected).toMatchObject({
    Id: id,
    Comment: 'hi',
    Config: { Cmd: ['sh'], Env: ['A=b', 'C=b'], OnBuild: ['RUN true'] },
  });
  const input = (await readFile(tar)).toString('latin1');
  const piped = await runOcits(folder, ['import', '-', 'imported:2'], { input });
  expect(piped.code).toBe(0);
  const [second] = JSON.parse(await ok('image', 'inspect', 'imported:2'));
  expect(second.RootFS).toEqual(inspected.RootFS);
  expect(await ocits('import', '-c', 'RUN true', tar)).toMatchObject({ code: 1, stdout: '' });
  await writeFile(tar, 'no tar at all');
  expect(await ocits('import', tar, 'imported:3')).toMatchObject({ code: 1, stdout: '' });
  await ok('rmi', 'imported:1', 'imported:2');
});

test('tag, rmi and image prune', async () => {
  expect(await ok('tag', 'me/app:1', 'other')).toBe('');
  const refused = await ocits('rmi', app.id);
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain('(must be forced) - image is referenced in multiple repositories');
  expect(await ok('rmi', 'other')).toBe('Untagged: other:latest\n');
  expect(await ocits('image', 'rm', '-f', 'nothing')).toMatchObject({ code: 0, stdout: '' });
  expect(await ocits('rmi', 'nothing')).toMatchObject({ code: 1, stdout: '' });
  expect((await ocits('image', 'prune')).stdout).toBe('');
  expect(await ok('image', 'prune', '-f')).toMatch(
    new RegExp(`^Deleted Images:\ndeleted: ${dangling.id}\n\nTotal reclaimed space: [\\d.]+k?B\n$`),
  );
  expect((await ok('rmi', 'me/app:1')).split('\n').slice(0, 3)).toEqual([
    'Untagged: me/app:1',
    `Untagged: me/app@${app.descriptor.digest}`,
    `Deleted: ${app.id}`,
  ]);
  expect(await ok('images', '-q')).toBe('');
  expect(await ok('system', 'fsck')).toBe('');
});
