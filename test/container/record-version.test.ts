import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sweepContainers } from '../../src/container/clear/sweep-containers.ts';
import { createContainer } from '../../src/container/create/create-container.ts';
import { removeContainer } from '../../src/container/end/remove-container.ts';
import { stopContainer } from '../../src/container/end/stop-container.ts';
import { findContainer, readContainer, readContainers } from '../../src/container/record/catalog.ts';
import { containerFolder, containersFolder } from '../../src/container/record/folder.ts';
import { setLiveMark } from '../../src/container/record/live-marks.ts';
import { containerRoots } from '../../src/container/record/roots.ts';
import { parseContainerFilters } from '../../src/container/show/container-filters.ts';
import { inspectContainer } from '../../src/container/show/inspect-container.ts';
import { listContainers } from '../../src/container/show/list-containers.ts';
import { startContainer } from '../../src/container/start/start-container.ts';
import { networkChoice } from '../../src/network/choice.ts';
import { ContainerLab } from '../support/container/container-lab.ts';
import { containerRequest } from '../support/container/container-request.ts';

const TESTDATA = join(import.meta.dirname, '../../testdata/container');
let lab: ContainerLab;

beforeAll(async () => {
  lab = await ContainerLab.open();
});

afterAll(async () => await lab[Symbol.asyncDispose]());

/** Puts a container of an older version into the store as it would lie there, of the store's own image. */
async function addOld(file: string): Promise<string> {
  const request = containerRequest(['true'], { autoRemove: false });
  const own = await createContainer(lab.engine, lab.call, request);
  await removeContainer(lab.engine, own);
  await (await lab.engine.volumes()).create('data');
  const text = await readFile(join(TESTDATA, file), 'utf8');
  const record = JSON.parse(text.replaceAll('/var/lib/ocits', lab.paths.root));
  const files = containerFolder(lab.paths, record.id);
  for (const folder of [files.folder, files.writable, files.rootfs, files.etc]) await mkdir(folder);
  await writeFile(files.spec, JSON.stringify({ ...record, image: own.image }));
  await symlink(join('..', record.id), join(containersFolder(lab.paths), 'by-name', record.name));
  return record.id;
}

describe('a container of version 1', () => {
  test.each(['bridge', 'host', 'none'])(
    'on %s is listed, inspected, started and removed',
    async (network) => {
      const id = await addOld(`version-1-${network}.json`);
      await sweepContainers(lab.engine);
      const record = await findContainer(lab.paths, `on${network}`);
      expect(record).toMatchObject({ version: 3, id, network: networkChoice(network) });
      expect(record.network).not.toHaveProperty('mode');
      const filters = parseContainerFilters([`network=${network}`]);
      const [listed] = await listContainers(lab.engine, { all: true, filters });
      expect(listed).toMatchObject({ record: { id }, state: { status: 'created' } });
      await startContainer(lab.engine, lab.call, record, { cleanupCommand: lab.cleanupCommand });
      const inspected = JSON.parse(JSON.stringify(await inspectContainer(lab.engine, record)));
      expect(inspected.State.Status).toBe('running');
      expect(inspected.HostConfig.NetworkMode).toBe(network);
      expect(Object.keys(inspected.NetworkSettings.Networks)).toEqual([network]);
      const sandbox = await (await lab.engine.network()).find(id);
      if (network === 'bridge') {
        expect(inspected.Config.Hostname).toBe('web');
        expect(inspected.HostConfig.ExtraHosts).toEqual(['db:10.0.0.9']);
        expect(inspected.NetworkSettings.IPAddress).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
        const [running] = await listContainers(lab.engine);
        expect(running!.ports.map(({ containerPort }) => containerPort)).toEqual([80, 53]);
        expect(running!.ports).toEqual(sandbox!.endpoints[0]!.ports);
      } else expect(sandbox).toBeUndefined();
      await stopContainer(lab.engine, lab.call, record, { timeoutSeconds: 0 });
      await removeContainer(lab.engine, record);
      expect(await lab.remains()).toEqual([]);
    },
  );
});

test('a container of version 2 keeps its limits and privileges', async () => {
  const id = await addOld('version-2.json');
  const record = await findContainer(lab.paths, 'second');
  expect(record).toMatchObject({ version: 3, id, isolation: { resources: { memoryBytes: 64 * 2 ** 20 } } });
  expect(record).not.toHaveProperty('host');
  await startContainer(lab.engine, lab.call, record, { cleanupCommand: lab.cleanupCommand });
  const { HostConfig: config } = JSON.parse(JSON.stringify(await inspectContainer(lab.engine, record)));
  expect(config).toMatchObject({ Memory: 64 * 2 ** 20, CapDrop: ['NET_RAW'] });
  expect(config.Sysctls).toEqual({ 'net.ipv4.ip_forward': '1' });
  await stopContainer(lab.engine, lab.call, record, { timeoutSeconds: 0 });
  await removeContainer(lab.engine, record);
  expect(await lab.remains()).toEqual([]);
});

test('a container of a newer version is a clear error, and nothing of it is touched', async () => {
  const id = await addOld('version-1-none.json');
  const { spec, folder } = containerFolder(lab.paths, id);
  const old = await readFile(spec, 'utf8');
  const newer = JSON.stringify({ version: 4, id, name: 'onnone', sandboxes: [] });
  await writeFile(spec, newer);
  const attempts = [
    () => readContainer(lab.paths, id),
    () => findContainer(lab.paths, 'onnone'),
    () => readContainers(lab.paths),
    () => listContainers(lab.engine, { all: true }),
    () => sweepContainers(lab.engine),
    // Whoever collects garbage must not take it for a store without this container.
    () => containerRoots(lab.paths).roots[0]!(),
    () => containerRoots(lab.paths).users(),
  ];
  await setLiveMark(lab.paths, id);
  for (const attempt of attempts) {
    await expect(attempt()).rejects.toMatchObject({
      code: 'unsupported',
      message: `container ${id} is from a newer ocits: its version is 4`,
    });
  }
  expect(await readFile(spec, 'utf8')).toBe(newer);
  expect(existsSync(folder)).toBe(true);
  await writeFile(spec, old);
  await removeContainer(lab.engine, await findContainer(lab.paths, 'onnone'));
});
