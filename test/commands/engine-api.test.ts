import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatPlatform, hostPlatform } from '../../src/oci/platform.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { openStore } from '../../src/store/open-store.ts';
import { addBusyboxImage } from '../support/image/busybox-image.ts';
import {
  apiFields,
  type ENGINE_API,
  fieldTemplate,
  jsonType,
  valuesAt,
} from '../support/program/engine-api.ts';
import { runOcits } from '../support/program/run-ocits.ts';

let folder: string;

const ocits = (...args: string[]) => runOcits(folder, args);

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await ocits(...args);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
  return stdout;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocits-api-'));
  const store = await openStore({ root: join(folder, 'root'), run: join(folder, 'run') });
  await addBusyboxImage(store);
  const root = await store.refs.resolve(parseReference('busybox:latest'));
  await store.refs.put(parseReference(`busybox@${root!.digest}`), root!);
  const mounts = ['-v', `${folder}:/host:ro`, '-v', 'data:/data', '--tmpfs', '/scratch'];
  await ok(
    'create',
    '--name',
    'box',
    '--network',
    'bridge',
    ...mounts,
    '--label',
    'b=2',
    '--label',
    'a=1',
    'busybox',
  );
});

afterAll(async () => {
  await ocits('rm', '-f', 'box');
  await rm(folder, { recursive: true, force: true });
});

const COMMANDS: Readonly<Record<keyof typeof ENGINE_API, readonly string[]>> = {
  container: ['container', 'inspect', 'box'],
  image: ['image', 'inspect', 'busybox'],
  volume: ['volume', 'inspect', 'data'],
  network: ['network', 'inspect', 'bridge'],
  info: ['info'],
  version: ['version'],
};
const KINDS = Object.keys(COMMANDS) as (keyof typeof ENGINE_API)[];

describe.each(KINDS)('%s', (kind) => {
  test('every field of the Engine API has its type in JSON', async () => {
    const parsed = JSON.parse(await ok(...COMMANDS[kind], '--format', 'json'));
    const object = Array.isArray(parsed) ? parsed[0] : parsed;
    const wrong = apiFields(kind).flatMap(({ path, types, mayBeLeftOut }) =>
      valuesAt(object, path)
        .filter((value) => !(value === undefined && mayBeLeftOut) && !types.includes(jsonType(value)))
        .map((value) => `${path}: ${jsonType(value)}`),
    );
    expect(wrong).toEqual([]);
  });

  test('every field may be asked for, empty or not', async () => {
    const fields = apiFields(kind);
    const template = fields.map(({ path }) => `${fieldTemplate(path)}\x01`).join('');
    const answers = (await ok(...COMMANDS[kind], '--format', template)).split('\x01').slice(0, -1);
    const wrong = answers.flatMap((answer, position) => {
      const { path, types } = fields[position]!;
      const values = answer.split('\n').filter((line) => line !== '');
      return values
        .filter((value) => !types.includes(jsonType(JSON.parse(value))))
        .map((value) => `${path}: ${value}`);
    });
    expect(answers).toHaveLength(fields.length);
    expect(wrong).toEqual([]);
  });

  test('a field that Docker does not know is an error', async () => {
    expect(await ocits(...COMMANDS[kind], '--format', '{{.Bogus}}')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is no field "Bogus"'),
    });
  });
});

/** Fills all templates in one call: each with what it is to give. */
async function expectFilled(name: string, pairs: readonly (readonly [string, string | RegExp])[]) {
  const format = pairs.map(([template]) => template).join('\x01');
  const filled = (await ok('inspect', '-f', format, name)).slice(0, -1).split('\x01');
  expect(filled).toEqual(
    pairs.map(([, wanted]) => (typeof wanted === 'string' ? wanted : expect.stringMatching(wanted))),
  );
}

test('what people write in templates', async () => {
  await expectFilled('box', [
    ['{{if eq .ID .Id}}same{{end}}', 'same'],
    ['{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}', 'none'],
    ['[{{.State.Health.Status}}]', '[]'],
    ['{{json .Config.Healthcheck}} {{.HostConfig.CpuQuota}} {{.HostConfig.CPUQuota}}', 'null 0 0'],
    ['{{.HostConfig.Links}} {{json .HostConfig.Links}} {{.HostConfig.RestartPolicy}}', '[] null {no 0}'],
    ['{{range .Mounts}}{{.Type}}={{.Name}};{{end}}', 'bind=;volume=data;tmpfs=;'],
    ['{{.SizeRootFs}} {{json .SizeRw}}', '<nil> null'],
    ['{{json .Config.Labels}} {{.Config.Labels.c}}', '{"a":"1","b":"2"} <no value>'],
    ['{{index .Config.Labels "c"}}.', '.'],
    ['{{eq .State.Health nil}} {{len .HostConfig.Binds}}', 'true 2'],
    ['{{printf "%.12s" .Id}}', /^[0-9a-f]{12}$/],
  ]);
  await expectFilled('busybox', [['{{.ID}}', /^sha256:[0-9a-f]{64}$/]]);
  await expectFilled('none', [['{{.Created}}', '0001-01-01 00:00:00 +0000 UTC']]);
  const [server, client] = (await ok('version', '-f', '{{.Server.Version}} {{.Client.Version}}'))
    .trim()
    .split(' ');
  expect(server).toBe(client);
  expect(await ok('info', '-f', '{{.Architecture}} {{.Swarm.LocalNodeState}}')).not.toMatch(/x64|<no value>/);
  // An unset port is an error, as in Docker: scripts ask so whether it is published.
  const port = '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}';
  expect(await ocits('inspect', '-f', port, 'box')).toMatchObject({ code: 1, stdout: '\n' });
  expect(await ocits('inspect', '-f', '{{.State.Health.Bogus}}', 'box')).toMatchObject({ code: 1 });
});

test('a container’s platform is known, as text and as an object', async () => {
  const { os, architecture } = hostPlatform();
  const named = ['ps', '-a', '-f', 'name=box', '--format'];
  expect(await ok(...named, '{{.Platform}} {{json .Platform}}')).toBe(
    `${formatPlatform(hostPlatform())} ${JSON.stringify(hostPlatform())}\n`,
  );
  expect(
    await ok(
      'inspect',
      '-f',
      '{{.ImageManifestDescriptor.Platform.OS}}/{{.ImageManifestDescriptor.Platform.Architecture}}',
      'box',
    ),
  ).toBe(`${os}/${architecture}\n`);
});

test('with -s the sizes are there', async () => {
  const [written, all] = (await ok('inspect', '-s', '-f', '{{.SizeRw}} {{.SizeRootFs}}', 'box'))
    .split(' ')
    .map(Number);
  expect(written).toBe(0);
  expect(all).toBe(Number(await ok('image', 'inspect', '-f', '{{.Size}}', 'busybox')));
});

test('ps -s: what it has written, and all that it sees', async () => {
  await ok(
    'run',
    '--name',
    'sized',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'mkdir /d; echo hi > /d/f; ln /d/f /d/g',
  );
  const image = Number(await ok('image', 'inspect', '-f', '{{.Size}}', 'busybox'));
  const size = `3B (virtual ${(image / 1e6).toPrecision(3)}MB)\n`;
  expect(await ok('ps', '-a', '-f', 'name=sized', '--format', '{{.Size}}')).toBe(size);
  expect(await ok('ps', '-a', '-s', '-f', 'name=sized')).toMatch(/^.* SIZE\n.* 3B \(virtual [\d.]+MB\)\n$/);
  expect(JSON.parse(await ok('ps', '-a', '-f', 'name=sized', '--format', 'json'))).toMatchObject({
    Size: '0B',
    Platform: JSON.parse(JSON.stringify(hostPlatform())),
  });
  await ok('rm', 'sized');
});

test('system df counts what files hold, in volumes and in the build cache, too', async () => {
  const data = (await ok('volume', 'inspect', '-f', '{{.Mountpoint}}', 'data')).trim();
  await mkdir(join(data, 'folder'));
  await writeFile(join(data, 'folder/file'), 'x'.repeat(1234));
  await link(join(data, 'folder/file'), join(data, 'again'));
  await symlink('f', join(data, 'to'));
  await writeFile(join(folder, 'Dockerfile'), 'FROM busybox\nCOPY Dockerfile /copied\n');
  await ok('build', '-q', '-t', 'built', folder);
  const lines = (await ok('system', 'df', '--format', '{{.Type}} {{.Size}} {{.Reclaimable}}')).split('\n');
  const held = statSync(join(folder, 'Dockerfile')).size;
  expect(lines).toContain('Local Volumes 1.235kB 0B (0%)');
  expect(lines).toContain(`Build Cache ${held}B 0B`);
  expect(await ok('history', '--format', '{{.Size}}', 'built')).toMatch(new RegExp(`^${held}B\n`));
  await ok('rmi', 'built');
});

test('info has Docker’s words', async () => {
  const lines = (await ok('info')).split('\n');
  const words = [
    'Containers',
    'Images',
    'Server Version',
    'Storage Driver',
    'Logging Driver',
    'Cgroup Driver',
  ];
  const more = [
    'Cgroup Version',
    'Kernel Version',
    'OSType',
    'Architecture',
    'CPUs',
    'Total Memory',
    'Docker Root Dir',
  ];
  for (const word of [...words, ...more]) {
    expect(lines.filter((line) => line.startsWith(` ${word}: `))).toHaveLength(1);
  }
  expect(lines).toContain(` Architecture: ${execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim()}`);
});

test('inspect prints an array, a listing one line an object', async () => {
  const inspected = await ok('inspect', '--format', 'json', 'box', 'busybox');
  expect(inspected.split('\n')).toHaveLength(2);
  expect(JSON.parse(inspected)).toMatchObject([{ Name: '/box' }, { RepoTags: ['busybox:latest'] }]);
  expect(await ocits('inspect', '--format', 'json', 'nosuch')).toMatchObject({ code: 1, stdout: '[]\n' });
  expect(await ocits('inspect', '--format', '{{.Id}}', 'nosuch')).toMatchObject({ code: 1, stdout: '\n' });
  for (const list of [
    ['ps', '-a'],
    ['images'],
    ['volume', 'ls'],
    ['network', 'ls'],
    ['history', 'busybox'],
    ['system', 'df'],
  ]) {
    const lines = (await ok(...list, '--format', 'json')).trimEnd().split('\n');
    for (const line of lines) expect(jsonType(JSON.parse(line))).toBe('object');
    expect(lines.map((line) => Object.keys(JSON.parse(line)))).toEqual(
      lines.map((line) => Object.keys(JSON.parse(line)).sort()),
    );
  }
});

/** The fields of the command line's formatters: docker/cli, cli/command/formatter and its neighbours. */
test.each([
  [
    ['ps', '-a'],
    'ID Image Command CreatedAt RunningFor Ports State Status Size Names Labels Mounts LocalVolumes Networks Platform HealthStatus IPAddresses',
  ],
  [
    ['images'],
    'ID Repository Tag Digest CreatedSince CreatedAt Size VirtualSize SharedSize UniqueSize Containers',
  ],
  [['volume', 'ls'], 'Name Driver Scope Mountpoint Labels Links Size Group Availability Status'],
  [['network', 'ls'], 'ID Name Driver Scope IPv4 IPv6 Internal Labels CreatedAt'],
  [['history', 'busybox'], 'ID CreatedSince CreatedAt CreatedBy Size Comment'],
  [['system', 'df'], 'Type TotalCount Active Size Reclaimable'],
] as const)('%j has the fields of Docker’s listing', async (list, fields) => {
  const names = fields.split(' ');
  const template = names.map((name) => `{{.${name}}}`).join('\x01');
  const lines = (await ok(...list, '--format', template)).trimEnd().split('\n');
  for (const line of lines) {
    expect(line.split('\x01')).toHaveLength(names.length);
    expect(line).not.toContain('<no value>');
  }
  expect(await ocits(...list, '--format', '{{.Bogus}}')).toMatchObject({ code: 1 });
});
