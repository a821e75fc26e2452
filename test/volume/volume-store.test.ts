import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { VolumeStore } from '../../src/volume/volume.ts';
import { anonymousVolumeName, createVolumeStore, sweepVolumes } from '../../src/volume/volume-store.ts';

let folder: string;
let volumes: VolumeStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocits-volume-'));
  volumes = createVolumeStore({ root: join(folder, 'root'), run: join(folder, 'run') });
});

afterAll(async () => await rm(folder, { recursive: true }));

test('volumes are made once, listed and removed', async () => {
  expect(await volumes.list()).toEqual([]);
  const [first, second] = await Promise.all([
    volumes.create('db', { labels: { a: 'b' } }),
    volumes.create('db'),
  ]);
  expect(first.volume.path).toBe(second.volume.path);
  const anonymous = await volumes.create(anonymousVolumeName(), { anonymous: true });
  expect(anonymous.volume.anonymous).toBe(true);
  expect((await volumes.list()).map(({ name }) => name).sort()).toEqual([anonymous.volume.name, 'db'].sort());
  expect(await readdir(first.volume.path)).toEqual([]);
  await volumes.remove(anonymous.volume.name);
  await volumes.remove('db');
  expect(await volumes.list()).toEqual([]);
  expect(await readdir(join(folder, 'root/volumes'))).toEqual([]);
  await expect(volumes.remove('db')).rejects.toMatchObject({ code: 'not-found' });
});

test('of two that remove a volume, one is told that it is gone', async () => {
  await volumes.create('twice');
  const results = await Promise.allSettled([volumes.remove('twice'), volumes.remove('twice')]);
  const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  expect(refused).toMatchObject([{ code: 'not-found' }]);
});

test.each(['', 'null', '{}', '{"createdAt":"2024-', undefined])(
  'a volume whose record says %j keeps its data, and is one with a name',
  async (text) => {
    const { volume } = await volumes.create('torn', { anonymous: true });
    await writeFile(join(volume.path, 'precious'), 'data');
    const record = join(folder, 'root/volumes/torn/volume.json');
    if (text === undefined) await rm(record);
    else await writeFile(record, text);
    const found = { name: 'torn', path: volume.path, anonymous: false, labels: {} };
    expect(await volumes.list()).toContainEqual({ ...found, createdAt: expect.any(Date) });
    expect(await volumes.create('torn')).toMatchObject({ volume: found, isNew: false });
    await volumes.remove('torn');
    expect(await volumes.find('torn')).toBeUndefined();
  },
);

test('a volume is filled once, and never over what is in it', async () => {
  const { volume, isNew } = await volumes.create('once');
  expect(isNew).toBe(true);
  let fills = 0;
  const fill = async (path: string) => {
    fills++;
    await writeFile(join(path, 'file'), 'first');
  };
  await Promise.all([volumes.fill('once', fill), volumes.fill('once', fill)]);
  expect(fills).toBe(1);
  expect(await readFile(join(volume.path, 'file'), 'utf8')).toBe('first');
  expect((await volumes.create('once')).isNew).toBe(false);
});

test('a fill leaves the folder to a container that has it already', async () => {
  const { volume } = await volumes.create('shared');
  await using mounted = await open(volume.path);
  await volumes.fill('shared', async (path) => await writeFile(join(path, 'file'), ''));
  expect(await readdir(`/proc/self/fd/${mounted.fd}`)).toEqual(['file']);
});

test('a fill that failed is begun anew', async () => {
  const { volume } = await volumes.create('half');
  const broken = async (path: string) => {
    await mkdir(join(path, 'half/deep'), { recursive: true });
    await writeFile(Buffer.from(`${path}/half/\xff`, 'latin1'), '');
    throw new Error('no space');
  };
  await expect(volumes.fill('half', broken)).rejects.toThrow('no space');
  expect((await volumes.create('half')).isNew).toBe(true);
  await volumes.fill('half', async (path) => await writeFile(join(path, 'whole'), ''));
  expect(await readdir(volume.path)).toEqual(['whole']);
});

test.each(['..', '.', 'a/b', '/etc', 'x', '-x', 'a b', '', 'ä', 'a\0b'])(
  'the name %j stays outside of paths',
  async (name) => {
    await expect(volumes.create(name)).rejects.toMatchObject({ code: 'invalid-argument' });
    await expect(volumes.find(name)).rejects.toMatchObject({ code: 'invalid-argument' });
  },
);

test('what a killed process was deleting goes with the next sweep, and no volume does', async () => {
  await volumes.create('stays');
  const root = join(folder, 'root');
  const left = join(root, 'volumes', `.tmp-${spawnSync('true').pid}-0a1b2c`);
  await mkdir(join(left, 'data'), { recursive: true });
  await sweepVolumes({ root, run: join(folder, 'run') });
  const names = await readdir(join(root, 'volumes'));
  expect(names).toContain('stays');
  expect(names.filter((name) => name.startsWith('.'))).toEqual([]);
});
