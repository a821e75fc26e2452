import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCall } from '../../src/call.ts';
import { sweepContainers } from '../../src/container/clear/sweep-containers.ts';
import { createContainer } from '../../src/container/create/create-container.ts';
import { pruneContainers, removeContainer } from '../../src/container/end/remove-container.ts';
import { stopContainer } from '../../src/container/end/stop-container.ts';
import { findContainer } from '../../src/container/record/catalog.ts';
import { containerFolder, containersFolder } from '../../src/container/record/folder.ts';
import { liveMark, setLiveMark } from '../../src/container/record/live-marks.ts';
import type { ContainerRecord } from '../../src/container/record/record.ts';
import { containerRoots } from '../../src/container/record/roots.ts';
import { containerState } from '../../src/container/record/state.ts';
import { volumesInUse } from '../../src/container/record/volume-users.ts';
import { listContainers } from '../../src/container/show/list-containers.ts';
import { startContainer } from '../../src/container/start/start-container.ts';
import { networkChoice } from '../../src/network/choice.ts';
import { attachmentsFolder, networkSettings } from '../../src/network/settings.ts';
import { conmonFolder } from '../../src/runtime/conmon/conmon-folder.ts';
import { cgroupFolders } from '../../src/runtime/launch/host-cgroups.ts';
import { ContainerLab } from '../support/container/container-lab.ts';
import { containerRequest } from '../support/container/container-request.ts';

let lab: ContainerLab;

beforeAll(async () => {
  lab = await ContainerLab.open();
});

afterAll(async () => await lab[Symbol.asyncDispose]());

/** Runs in the background with a published port and an anonymous volume. */
async function busyContainer(name: string): Promise<ContainerRecord> {
  return await lab.detached(['sleep', '600'], {
    name,
    network: {
      ...networkChoice('bridge'),
      ports: [{ hostIp: '127.0.0.1', hostPort: 0, containerPort: 80, protocol: 'tcp' }],
    },
    mounts: [{ kind: 'volume', target: '/data', readOnly: false, copyImage: false, labels: {} }],
  });
}

/** Everything below a folder that is neither a folder nor of the container's own files. */
function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (['upper', 'work', 'targets', 'rootfs'].includes(entry.name)) return [];
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** The files that say anything of a container on this host, by a short name. */
function stateFiles({ id, name, mounts }: ContainerRecord): Map<string, string> {
  const { paths } = lab;
  const { folder } = containerFolder(paths, id);
  const { sockets, socketId } = conmonFolder(paths, folder);
  const all = [
    ...filesBelow(folder),
    ...filesBelow(join(paths.run, 'crun', id)),
    ...filesBelow(join(paths.run, 'seccomp')),
    join(containersFolder(paths), 'by-name', name),
    join(sockets, socketId),
    liveMark(paths, id),
    join(attachmentsFolder(networkSettings()), `${id}.json`),
    ...mounts.flatMap((mount) =>
      mount.kind === 'volume' ? [join(paths.root, 'volumes', mount.name, 'volume.json')] : [],
    ),
  ];
  return new Map(all.filter((path) => isThere(path)).map((path) => [shortName(path), path]));
}

function shortName(path: string): string {
  const parts = path.split('/').map((part) => (/^[0-9a-f]{16,}(\.json)?$/.test(part) ? '*' : part));
  return parts.slice(-3).join('/');
}

const isThere = (path: string) => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

/** What happens to a file: gone, there without content, there with its first half. */
const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  removed: (path) => rmSync(path),
  emptied: (path) => {
    if (lstatSync(path).isFile()) truncateSync(path, 0);
    else {
      rmSync(path);
      writeFileSync(path, '');
    }
  },
  truncated: (path) => {
    const { size } = lstatSync(path);
    if (lstatSync(path).isFile()) truncateSync(path, Math.floor(size / 2));
  },
};

async function removeWholly(record: ContainerRecord): Promise<void> {
  await removeContainer(lab.engine, record, { force: true, volumes: true });
}

/** What of a container this host still has. */
async function traces(record: ContainerRecord, pid: number): Promise<unknown> {
  const namespace = join(networkSettings().folder, 'netns', record.id);
  return {
    remains: await lab.remains(),
    crun: readdirSync(join(lab.paths.run, 'crun')),
    sockets: readdirSync(join(lab.paths.run, 's')),
    volumes: readdirSync(join(lab.paths.root, 'volumes')),
    cgroups: cgroupFolders(record.id).filter(existsSync),
    network: [join(attachmentsFolder(networkSettings()), `${record.id}.json`), namespace].filter(existsSync),
    rules: execFileSync('iptables-save', ['-t', 'nat']).toString().split(record.id.slice(0, 12)).length - 1,
    process: existsSync(`/proc/${pid}`),
  };
}

const NO_TRACES = {
  remains: [],
  crun: [],
  sockets: [],
  volumes: [],
  cgroups: [],
  network: [],
  rules: 0,
  process: false,
};

describe.each(Object.keys(DAMAGES))('a container of which a file is %s', (damage) => {
  test('keeps no command from its work, and goes with rm -f', { timeout: 300_000 }, async () => {
    // What only the very first start leaves would not be found again.
    await removeWholly(await busyContainer('damaged'));
    const first = await busyContainer('damaged');
    const names = [...stateFiles(first).keys()];
    await removeWholly(first);
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) {
      const record = await busyContainer('damaged');
      const { pid } = containerState(lab.paths, record.id);
      DAMAGES[damage]!(stateFiles(record).get(name)!);
      const context = `${damage}: ${name}`;
      await sweepContainers(lab.engine);
      expect(await lab.sh('echo fine', { network: networkChoice('bridge') }), context).toBe('fine\n');
      const listed = await listContainers(lab.engine, { all: true });
      expect(
        listed.map(({ record: { id } }) => id),
        context,
      ).toEqual([record.id]);
      expect([...(await volumesInUse(lab.paths)).keys()], context).toEqual(
        record.mounts.flatMap((mount) => (mount.kind === 'volume' ? [mount.name] : [])),
      );
      await containerRoots(lab.paths).users();
      const found = await findContainer(lab.paths, basename(name) === 'damaged' ? record.id : 'damaged');
      await removeWholly(found);
      expect(await traces(record, pid), context).toEqual(NO_TRACES);
    }
  });
});

describe('a container whose record is lost', () => {
  test('is listed, keeps what it uses, is stopped and pruned, and is not started', async () => {
    const record = await busyContainer('lost');
    rmSync(containerFolder(lab.paths, record.id).spec);
    const found = await findContainer(lab.paths, 'lost');
    expect(found).toMatchObject({ id: record.id, name: 'lost', damage: expect.any(String) });
    expect(found.image.snapshots).toEqual(record.image.snapshots);
    expect(await containerRoots(lab.paths).roots[0]!()).toEqual([
      { stacks: record.image.snapshots.map((key) => [key]) },
    ]);
    await stopContainer(lab.engine, lab.call, found, { timeoutSeconds: 0 });
    const starting = startContainer(lab.engine, lab.call, found, { cleanupCommand: lab.cleanupCommand });
    await expect(starting).rejects.toMatchObject({
      code: 'corrupt',
      message: 'container lost cannot be started: its record is damaged or gone',
      hint: expect.stringContaining('ocits rm -f lost'),
    });
    expect((await pruneContainers(lab.engine)).ids).toEqual([record.id]);
    const [volume] = record.mounts;
    await (await lab.engine.volumes()).remove(volume?.kind === 'volume' ? volume.name : '');
    expect(await lab.remains()).toEqual([]);
  });
});

test('a container that cannot be cleared away is told once, and stops no other', async () => {
  // It was never started: no command of its own clears it away meanwhile.
  const request = containerRequest(['true'], { autoRemove: false });
  const record = await createContainer(lab.engine, lab.call, request, { pull: 'never' });
  const other = await lab.detached(['sleep', '600'], { name: 'other' });
  await setLiveMark(lab.paths, record.id);
  // Neither crun nor we can remove a folder that somebody has mounted.
  const stuck = join(lab.paths.run, 'crun', record.id);
  mkdirSync(stuck, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', stuck]);
  try {
    const told: string[] = [];
    const call = openCall('test', {
      emit: (event) => void (event.type === 'message' && told.push(event.text)),
    });
    for (let time = 0; time < 2; time++) await sweepContainers(lab.engine, call);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(
      `container ${record.id.slice(0, 12)} has ended and cannot be cleared away: cannot delete`,
    );
    await stopContainer(lab.engine, lab.call, other, { timeoutSeconds: 0 });
    await removeContainer(lab.engine, other);
    expect(await lab.sh('echo fine')).toBe('fine\n');
  } finally {
    execFileSync('umount', [stuck]);
  }
  await sweepContainers(lab.engine);
  await removeContainer(lab.engine, record);
  expect(await lab.remains()).toEqual([]);
});
