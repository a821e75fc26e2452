import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createContainer } from '../../src/container/create/create-container.ts';
import { removeContainer } from '../../src/container/end/remove-container.ts';
import { readContainers } from '../../src/container/record/catalog.ts';
import { pruneVolumes, removeVolume } from '../../src/container/record/volume-users.ts';
import type { MountRequest } from '../../src/options/mounts/mount-request.ts';
import { parseVolumeFlag } from '../../src/options/mounts/volume-flag.ts';
import { ContainerLab } from '../support/container/container-lab.ts';
import { containerRequest } from '../support/container/container-request.ts';
import { addBusyboxImage } from '../support/image/busybox-image.ts';
import type { TarMember } from '../support/layer/tar-bytes.ts';

const DATA: readonly TarMember[] = [
  { path: 'var/lib/', type: 'directory' },
  { path: 'var/lib/db/', type: 'directory', mode: 0o2750, uid: 33, gid: 50 },
  { path: 'var/lib/db/file', content: 'of the image', uid: 33, mode: 0o640, mtime: 1_600_000_000 },
  { path: 'var/lib/db/link', type: 'symlink', target: 'file' },
  { path: 'var/lib/db/sub/', type: 'directory' },
  { path: 'srv', type: 'symlink', target: '/var/lib/db' },
];

let lab: ContainerLab;

beforeAll(async () => {
  lab = await ContainerLab.open();
  const store = await lab.engine.store();
  await addBusyboxImage(store, {
    reference: 'db',
    config: { Volumes: { '/var/lib/db': {} } },
    layers: [DATA],
  });
  await addBusyboxImage(store, { reference: 'plain', layers: [DATA] });
});

afterAll(async () => await lab[Symbol.asyncDispose]());

const named = (name: string, target: string, more: Partial<MountRequest> = {}): MountRequest =>
  ({ kind: 'volume', name, target, readOnly: false, copyImage: true, labels: {}, ...more }) as MountRequest;

test('a new volume has what the image has there, to the owner and the time', async () => {
  const script = 'stat -L -c "%u:%g %a" /data; cat /data/file; readlink /data/link; echo mine > /data/mine';
  for (const [image, name, target] of [
    ['db', 'first', '/var/lib/db'],
    ['plain', 'second', '/srv'],
  ] as const) {
    const output = await lab.sh(script.replaceAll('/data', target), { image, mounts: [named(name, target)] });
    expect(output).toBe('33:50 2750\nof the imagefile\n');
    const { path } = (await (await lab.engine.volumes()).find(name))!;
    expect(statSync(join(path, 'file'))).toMatchObject({
      uid: 33,
      mode: 0o100640,
      mtimeMs: 1_600_000_000_000,
    });
    expect(readdirSync(path).sort()).toEqual(['file', 'link', 'mine', 'sub']);
  }
});

test('a volume with content is left as it is', async () => {
  const mounts = [named('first', '/var/lib/db')];
  expect(await lab.sh('rm /var/lib/db/file; ls /var/lib/db', { image: 'db', mounts })).toBe(
    'link\nmine\nsub\n',
  );
  expect(await lab.sh('ls /bin', { mounts: [named('first', '/bin2'), named('first2', '/x')] })).toContain(
    'busybox',
  );
  expect(await lab.sh('ls /var/lib/db', { image: 'db', mounts })).toBe('link\nmine\nsub\n');
});

test('an empty volume takes the mode and owner of the image’s folder each time, and nothing of the last one', async () => {
  const store = await lab.engine.store();
  const folder = (mode: number, uid: number, gid: number): TarMember[] => [
    { path: 'data/', type: 'directory', mode, uid, gid },
  ];
  await addBusyboxImage(store, { reference: 'setgid', layers: [folder(0o2750, 33, 50)] });
  await addBusyboxImage(store, { reference: 'sticky', layers: [folder(0o1777, 0, 0)] });
  await addBusyboxImage(store, { reference: 'simple', layers: [folder(0o705, 5, 0)] });
  for (const [image, expected] of [
    ['setgid', '33:50 2750'],
    ['sticky', '0:0 1777'],
    ['setgid', '33:50 2750'],
    ['simple', '5:0 705'],
  ] as const) {
    const mounts = [named('changing', '/data')];
    // What a command writes and removes again leaves the volume empty.
    const script = 'stat -c "%u:%g %a" /data; touch /data/x; rm /data/x; chmod 4777 /data; chown 9:9 /data';
    expect({ image, output: await lab.sh(script, { image, mounts }) }).toEqual({
      image,
      output: `${expected}\n`,
    });
  }
});

test('a target alone is an anonymous volume, which makes way for another mount there', async () => {
  const anonymous = parseVolumeFlag('./var/lib/db', '/');
  const script = 'stat -c "%u:%g %a" /var/lib/db; cat /var/lib/db/file; mount | grep -c " /var/lib/db "';
  expect(await lab.sh(script, { image: 'plain', mounts: [anonymous] })).toBe('33:50 2750\nof the image1\n');
  const all = [anonymous, named('given', '/var/lib/db'), anonymous, named('given', '/var/lib/db')];
  expect(await lab.sh(script, { image: 'plain', mounts: all })).toBe('33:50 2750\nof the image1\n');
  expect(await (await lab.engine.volumes()).find('given')).toBeDefined();
  const volumes = (await (await lab.engine.volumes()).list()).filter(({ anonymous: isOne }) => isOne);
  expect(volumes).toEqual([]);
});

test('a relative VOLUME is taken from the root', async () => {
  const config = { Volumes: { 'srv/x': {} } };
  await addBusyboxImage(await lab.engine.store(), { reference: 'relative', config, layers: [] });
  expect(await lab.sh('mount | grep -c " /srv/x "', { image: 'relative' })).toBe('1\n');
});

test('a volume can be read-only, and without the content of the image', async () => {
  const mounts = [
    named('empty', '/var/lib/db', { copyImage: false }),
    named('first', '/ro', { readOnly: true }),
  ];
  const output = await lab
    .sh('ls /var/lib/db; touch /ro/x 2>&1', { image: 'db', mounts })
    .catch((error) => error.message);
  expect(output).toMatch(/^exit code 1/);
});

test('anonymous volumes go with --rm, and with rm -v', async () => {
  const volumes = await lab.engine.volumes();
  const before = (await volumes.list()).length;
  expect(await lab.sh('cat /var/lib/db/file', { image: 'db' })).toBe('of the image');
  expect(await volumes.list()).toHaveLength(before);
  const request = containerRequest(['true'], { image: 'db', autoRemove: false, name: 'user' });
  const record = await createContainer(lab.engine, lab.call, request);
  const [mount] = record.mounts;
  expect(mount).toMatchObject({ kind: 'volume', anonymous: true, target: '/var/lib/db' });
  if (mount?.kind !== 'volume') throw new Error('no volume');
  expect(readFileSync(join(mount.source, 'file'), 'utf8')).toBe('of the image');
  await expect(removeVolume(lab.engine, mount.name)).rejects.toMatchObject({
    code: 'in-use',
    message: `volume ${mount.name} is in use by user`,
  });
  await removeContainer(lab.engine, record);
  expect(await volumes.find(mount.name)).toBeDefined();
  expect((await pruneVolumes(lab.engine, { all: false })).names).toEqual([mount.name]);
  const other = await createContainer(lab.engine, lab.call, request);
  await removeContainer(lab.engine, other, { volumes: true });
  expect(await volumes.list()).toHaveLength(before);
});

test('a mount of the user stands for a volume of the image', async () => {
  const mounts: MountRequest[] = [{ kind: 'tmpfs', target: '/var/lib/db', options: [] }];
  expect(await lab.sh('mount | grep -c "tmpfs on /var/lib/db"', { image: 'db', mounts })).toBe('1\n');
  expect((await (await lab.engine.volumes()).list()).filter(({ anonymous }) => anonymous)).toEqual([]);
});

test('what cannot be mounted leaves nothing', async () => {
  const source = join(lab.folder, 'missing');
  const missing: MountRequest = { kind: 'bind', source, target: '/x', readOnly: false, createSource: false };
  const mounts = [
    { kind: 'volume', target: '/y', readOnly: false, copyImage: true, labels: {} } as const,
    missing,
  ];
  await expect(lab.run(['true'], { mounts })).rejects.toMatchObject({ code: 'not-found' });
  await expect(lab.run(['true'], { mounts: [missing, { ...missing, readOnly: true }] })).rejects.toThrow(
    'two mounts have the target /x',
  );
  expect((await (await lab.engine.volumes()).list()).filter(({ anonymous }) => anonymous)).toEqual([]);
  expect(await readContainers(lab.paths)).toEqual([]);
});

test('a prune never takes a volume that a container in the making is about to have', async () => {
  const real = await lab.engine.volumes();
  await real.create('wanted');
  let pruning: ReturnType<typeof pruneVolumes> | undefined;
  const volumes = Object.create(real, {
    // Now the volume is there, and no record names it yet.
    create: {
      value: async (...args: Parameters<typeof real.create>) => {
        const made = await real.create(...args);
        pruning ??= pruneVolumes(lab.engine, { all: true });
        return made;
      },
    },
  }) as typeof real;
  for (const name of ['find', 'list', 'fill', 'remove'] as const) {
    Object.defineProperty(volumes, name, { value: real[name].bind(real) });
  }
  const request = containerRequest(['true'], { mounts: [named('wanted', '/a'), named('newer', '/b')] });
  const record = await createContainer({ ...lab.engine, volumes: async () => volumes }, lab.call, request);
  const { names } = await pruning!;
  expect(names).not.toContain('wanted');
  expect(names).not.toContain('newer');
  expect((await real.list()).map(({ name }) => name)).toEqual(expect.arrayContaining(['newer', 'wanted']));
  await removeContainer(lab.engine, record);
  await removeVolume(lab.engine, 'wanted');
  await removeVolume(lab.engine, 'newer');
});
