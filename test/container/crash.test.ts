import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sweepContainers } from '../../src/container/clear/sweep-containers.ts';
import { createContainer } from '../../src/container/create/create-container.ts';
import { removeContainer } from '../../src/container/end/remove-container.ts';
import { killContainer, stopContainer } from '../../src/container/end/stop-container.ts';
import { waitForContainer } from '../../src/container/end/wait-for-container.ts';
import { findContainer, readContainers } from '../../src/container/record/catalog.ts';
import { containersFolder } from '../../src/container/record/folder.ts';
import { completeMarks, liveIds, setLiveMark } from '../../src/container/record/live-marks.ts';
import type { ContainerRecord } from '../../src/container/record/record.ts';
import { containerRoots } from '../../src/container/record/roots.ts';
import { containerState } from '../../src/container/record/state.ts';
import { listContainers } from '../../src/container/show/list-containers.ts';
import { networkChoice } from '../../src/network/choice.ts';
import { attachmentsFolder, networkSettings } from '../../src/network/settings.ts';
import { identifyProcess, ownIdentity } from '../../src/system/process/process-identity.ts';
import { ContainerLab } from '../support/container/container-lab.ts';
import { containerRequest } from '../support/container/container-request.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
let lab: ContainerLab;

beforeAll(async () => {
  lab = await ContainerLab.open();
});

afterAll(async () => await lab[Symbol.asyncDispose]());

/** `ocits run` in a process of its own; resolves when the container has its `trap` and has printed its first line. */
async function ocitsRun(
  name: string,
  flags: readonly string[],
  script: string,
  trap = ':',
): Promise<ChildProcess> {
  const command = ['sh', '-c', `${trap}; echo ready; ${script}`];
  const args = [MAIN, 'run', '--name', name, ...flags, 'busybox', ...command];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, OCITS_ROOT: lab.paths.root, OCITS_RUN: lab.paths.run },
  });
  await once(child.stdout!, 'data');
  return child;
}

/** Whether a process has a handler for the signal: a command has one for SIGUSR2 once it passes signals on. */
function catches(pid: number, signal: number): boolean {
  const [, mask = '0'] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('a container whose command was killed', () => {
  test.each([
    ['--rm', 'bridge'],
    ['--rm', 'none'],
    ['--rm=false', 'bridge'],
  ])('goes on (%s, %s), is seen, and is cleared away once it has ended', async (rm, network) => {
    const flags = [rm, '--network', network];
    const child = await ocitsRun(
      'orphan',
      flags,
      'while [ ! -e /stop ]; do echo alive; sleep 0.05; done; exit 8',
    );
    await killed(child);
    await sweepContainers(lab.engine);
    const [listed] = await listContainers(lab.engine);
    expect(listed).toMatchObject({ record: { name: 'orphan' }, state: { status: 'running' } });
    const { record } = listed!;
    const end = waitForContainer(lab.paths, record.id);
    killContainer(lab.engine, record, 'KILL');
    await end;
    await sweepContainers(lab.engine);
    expect(await (await lab.engine.network()).find(record.id)).toBeUndefined();
    expect(await liveIds(lab.paths)).toEqual([]);
    expect(readdirSync(join(lab.paths.run, 'crun'))).toEqual([]);
    const left = await readContainers(lab.paths);
    if (rm === '--rm') return expect(left).toEqual([]);
    expect(left).toHaveLength(1);
    expect(containerState(lab.paths, record.id)).toMatchObject({ status: 'exited', exitCode: 137 });
    await removeContainer(lab.engine, record);
  });

  test('is stopped and removed like any other', async () => {
    const child = await ocitsRun('other', ['--rm'], 'sleep 60');
    await killed(child);
    const record = await findContainer(lab.paths, 'other');
    await stopContainer(lab.engine, lab.call, record, { timeoutSeconds: 0 });
    expect(await lab.remains()).toEqual([]);
  });
});

describe('a container in the foreground of another process', () => {
  test('is seen, stopped, and cleared away by its own command', async () => {
    const child = await ocitsRun('front', ['--rm'], 'while :; do sleep 0.05; done', 'trap "exit 5" TERM');
    const exited = once(child, 'exit');
    await sweepContainers(lab.engine);
    const record = await findContainer(lab.paths, 'front');
    expect((await containerRoots(lab.paths).users())[0]).toMatchObject({
      containerId: record.id,
      isRunning: true,
    });
    await stopContainer(lab.engine, lab.call, record, { timeoutSeconds: 10 });
    expect((await exited)[0]).toBe(5);
    expect(await lab.remains()).toEqual([]);
  });

  test('can be removed by force', async () => {
    const child = await ocitsRun('front', [], 'sleep 60');
    const exited = once(child, 'exit');
    const record = await findContainer(lab.paths, 'front');
    await expect(removeContainer(lab.engine, record)).rejects.toMatchObject({ code: 'in-use' });
    await removeContainer(lab.engine, record, { force: true });
    expect((await exited)[0]).toBe(137);
    expect(await lab.remains()).toEqual([]);
  });

  test('gets the signals of its command, and Ctrl-C leaves nothing', async () => {
    const child = await ocitsRun(
      'front',
      ['--rm'],
      'while :; do sleep 0.05; done',
      'trap "echo int; exit 9" INT',
    );
    const exited = once(child, 'exit');
    // Until the command has seen the container run, Ctrl-C ends the start instead: 130.
    await vi.waitUntil(() => catches(child.pid!, constants.signals.SIGUSR2), PATIENCE_MS);
    child.kill('SIGINT');
    expect((await exited)[0]).toBe(9);
    expect(await lab.remains()).toEqual([]);
  });
});

test('a container that starts while another command looks around keeps its network', async () => {
  const network = { network: networkChoice('bridge') };
  const first = await lab.detached(['sleep', '60'], network);
  const late: ContainerRecord[] = [];
  // Behind the look at the containers, and before the one at the networks.
  const openNetwork = async () => {
    if (late.length === 0) {
      late.push(await lab.detached(['sleep', '60'], network));
      await forgetOwner(late[0]!.id);
    }
    return await lab.engine.network();
  };
  await sweepContainers({ ...lab.engine, network: openNetwork });
  expect(await (await lab.engine.network()).find(late[0]!.id)).toBeDefined();
  for (const record of [first, ...late]) await removeContainer(lab.engine, record, { force: true });
});

/** As if the process that asked for the network had ended. */
async function forgetOwner(id: string): Promise<void> {
  const path = join(attachmentsFolder(networkSettings()), `${id}.json`);
  const record = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...record, owner: { ...record.owner, startTicks: 1 } }));
}

test('a container that this process is starting is left to it, as by another run of a library', async () => {
  const request = containerRequest(['true'], { autoRemove: false });
  const record = await createContainer(lab.engine, lab.call, request, { attached: true, startsNow: true });
  await completeMarks(lab.paths);
  await setLiveMark(lab.paths, record.id);
  await sweepContainers(lab.engine);
  expect(await liveIds(lab.paths)).toEqual([record.id]);
  await removeContainer(lab.engine, record);
});

test('the name and the volume of a container whose maker died go, those of one that is being made stay', async () => {
  const gone = spawn('true');
  const dead = identifyProcess(gone.pid!)!;
  await once(gone, 'exit');
  const volumes = await lab.engine.volumes();
  const names = join(containersFolder(lab.paths), 'by-name');
  const made = [
    { id: 'd'.repeat(64), maker: dead },
    { id: 'e'.repeat(64), maker: ownIdentity() },
  ];
  for (const { id, maker } of made) {
    await setLiveMark(lab.paths, id, maker);
    await volumes.create(`of-${id[0]}`, { anonymous: true, madeFor: id });
    symlinkSync(join('..', id), join(names, `name-${id[0]}`));
  }
  await volumes.create('of-nobody', { anonymous: true });
  await completeMarks(lab.paths);
  const left = async () => ({
    marks: await liveIds(lab.paths),
    names: readdirSync(names),
    volumes: (await volumes.list()).map(({ name }) => name),
  });
  await sweepContainers(lab.engine);
  expect(await left()).toEqual({
    marks: ['e'.repeat(64)],
    names: ['name-e'],
    volumes: ['of-e', 'of-nobody'],
  });
  await setLiveMark(lab.paths, 'e'.repeat(64), dead);
  // Several commands may come to clear up the same.
  await Promise.all([1, 2, 3].map(() => sweepContainers(lab.engine)));
  expect(await left()).toEqual({ marks: [], names: [], volumes: ['of-nobody'] });
  await volumes.remove('of-nobody');
});

test('a container that is only made, and goes when it has run, stays until it is started', async () => {
  const request = containerRequest(['true'], { autoRemove: true });
  const created = await createContainer(lab.engine, lab.call, request);
  expect(await liveIds(lab.paths)).toEqual([]);
  await sweepContainers(lab.engine);
  await removeContainer(lab.engine, created);
});

test('what died half-made is deleted, what is being made is not', async () => {
  const folder = containersFolder(lab.paths);
  const dead = spawn('true');
  await once(dead, 'exit');
  const [left, under] = [join(folder, `.tmp-${dead.pid}-x`), join(folder, `.tmp-${process.pid}-x`)];
  for (const path of [left, under]) mkdirSync(join(path, 'rw'), { recursive: true });
  await sweepContainers(lab.engine);
  expect([existsSync(left), existsSync(under)]).toEqual([false, true]);
});

test('a place for a mount that a killed command had goes', async () => {
  const { pid } = spawnSync('true');
  const [left, ours] = [pid, process.pid].map((each) => join(lab.paths.run, `.tmp-${each}-0`));
  for (const path of [left!, ours!]) mkdirSync(path);
  await sweepContainers(lab.engine);
  expect([left, ours].map((path) => existsSync(path!))).toEqual([false, true]);
});
