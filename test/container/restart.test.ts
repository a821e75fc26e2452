import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { cleanupContainer } from '../../src/container/clear/clear-container.ts';
import { sweepContainers } from '../../src/container/clear/sweep-containers.ts';
import { createContainer } from '../../src/container/create/create-container.ts';
import { removeContainer } from '../../src/container/end/remove-container.ts';
import { killContainer, restartContainer, stopContainer } from '../../src/container/end/stop-container.ts';
import { waitForContainer } from '../../src/container/end/wait-for-container.ts';
import { findContainer, readContainer, readContainers } from '../../src/container/record/catalog.ts';
import type { ContainerRecord } from '../../src/container/record/record.ts';
import { beginRestart, endRestart, isRestarting } from '../../src/container/record/restart-mark.ts';
import { containerState } from '../../src/container/record/state.ts';
import { startContainer } from '../../src/container/start/start-container.ts';
import { networkChoice } from '../../src/network/choice.ts';
import { ContainerLab } from '../support/container/container-lab.ts';
import { containerRequest } from '../support/container/container-request.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';

const MAIN = join(import.meta.dirname, '../../src/main.ts');
let lab: ContainerLab;

beforeAll(async () => {
  lab = await ContainerLab.open();
});

afterEach(async () => expect(await lab.remains()).toEqual([]));

afterAll(async () => await lab[Symbol.asyncDispose]());

/** Ends with 3 in its first life, with 4 in its second, and so on. */
const LIVES =
  'n=$(cat /n 2>/dev/null || echo 2); echo $((n + 1)) > /n; trap "exit $((n + 1))" TERM; touch /up';
const COMMAND = ['sh', '-c', `${LIVES}; while :; do sleep 0.05; done`];

/** A container that runs in the foreground of another process; the code with which that ends. */
async function foreground(flags: string) {
  const words = [
    'run',
    ...flags.split(' ').filter((word) => word !== ''),
    '--name',
    'front',
    'busybox',
    ...COMMAND,
  ];
  const env = { ...process.env, OCITS_ROOT: lab.paths.root, OCITS_RUN: lab.paths.run };
  const child = spawn(process.execPath, [MAIN, ...words], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  const said = text(child.stderr);
  const ended = once(child, 'close').then(async ([code]) => ({ code: code as number, said: await said }));
  const record = await running();
  return { record, ended };
}

/** The container of that process, once it runs. */
async function running(): Promise<ContainerRecord> {
  const record = await vi.waitUntil(
    async () => {
      const found = (await readContainers(lab.paths)).find(({ name }) => name === 'front');
      return found !== undefined && containerState(lab.paths, found.id).status === 'running' && found;
    },
    { timeout: PATIENCE_MS },
  );
  await up(record);
  return record;
}

/** Waits until the command listens to signals: it has made `/up` then, which is taken away for its next life. */
async function up({ id }: ContainerRecord): Promise<void> {
  const file = `/proc/${containerState(lab.paths, id).pid}/root/up`;
  await vi.waitUntil(() => existsSync(file), { timeout: PATIENCE_MS });
  await rm(file);
}

const restart = async (record: ContainerRecord) =>
  await restartContainer(lab.engine, lab.call, record, { cleanupCommand: lab.cleanupCommand });

describe.each(['bridge', 'none'])('on the network %s,', (network) => {
  const parts = { network: networkChoice(network) };
  const flag = `--network ${network}`;

  test('a container that runs in the foreground is restarted, and its command ends', async () => {
    const { record, ended } = await foreground(flag);
    await restart(record);
    expect(await ended).toEqual({ code: 3, said: '' });
    expect(containerState(lab.paths, record.id)).toMatchObject({ status: 'running' });
    await up(record);
    await restart(record);
    await up(record);
    await stopContainer(lab.engine, lab.call, record);
    expect(containerState(lab.paths, record.id)).toMatchObject({ status: 'exited', exitCode: 5 });
    await removeContainer(lab.engine, record);
  });

  test('one that removes itself is kept, and its command ends when it is removed', async () => {
    const { record, ended } = await foreground(`${flag} --rm`);
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    for (let life = 0; life < 2; life++) {
      await restart(record);
      expect(containerState(lab.paths, record.id)).toMatchObject({ status: 'running' });
      await up(record);
      await sweepContainers(lab.engine);
    }
    expect(isOver).toBe(false);
    await stopContainer(lab.engine, lab.call, record);
    expect(await ended).toEqual({ code: 5, said: '' });
    expect(await readContainer(lab.paths, record.id)).toBeUndefined();
  });

  test('one in the background that removes itself is kept as well', async () => {
    const record = await lab.detached(COMMAND, { ...parts, autoRemove: true });
    await up(record);
    await restart(record);
    await up(record);
    await restart(record);
    await up(record);
    const ended = waitForContainer(lab.paths, record.id);
    killContainer(lab.engine, record, 'TERM');
    expect((await ended).exitCode).toBe(5);
    await gone();
  });
});

test('one that removes itself goes where its new start fails', async () => {
  const { record, ended } = await foreground(`--rm --network none -v ${lab.folder}/there:/x`);
  await rm(`${lab.folder}/there`, { recursive: true });
  await expect(restart(record)).rejects.toThrow();
  expect(await ended).toEqual({ code: 3, said: '' });
  expect(await readContainer(lab.paths, record.id)).toBeUndefined();
});

test('while it is restarted, nobody clears away one that removes itself', async () => {
  const request = containerRequest(['true'], { autoRemove: true });
  const record = await createContainer(lab.engine, lab.call, request, { pull: 'never' });
  await beginRestart(lab.paths, record);
  await cleanupContainer(lab.engine, record.id);
  await sweepContainers(lab.engine);
  expect(await readContainer(lab.paths, record.id)).toBeDefined();
  await endRestart(lab.paths, record.id);
  expect(await isRestarting(lab.paths, record.id)).toBe(false);
  await cleanupContainer(lab.engine, record.id);
  expect(await readContainer(lab.paths, record.id)).toBeUndefined();
  await expect(beginRestart(lab.paths, record)).rejects.toThrow('No such container');
});

test('to stop one that is being started waits for its start', async () => {
  const request = containerRequest(COMMAND, { autoRemove: false });
  const record = await createContainer(lab.engine, lab.call, request, { pull: 'never', startsNow: true });
  const stopped = stopContainer(lab.engine, lab.call, record, { timeoutSeconds: 0 });
  const start = startContainer(lab.engine, lab.call, record, { cleanupCommand: lab.cleanupCommand });
  // It may be ended before its command has begun, which fails the start.
  await Promise.allSettled([start]);
  await stopped;
  expect(containerState(lab.paths, record.id).status).not.toBe('running');
  await removeContainer(lab.engine, record);
});

test('to stop what was never started is nothing, also where it removes itself', async () => {
  const request = containerRequest(['true'], { autoRemove: true, name: 'fresh' });
  const record = await createContainer(lab.engine, lab.call, request, { pull: 'never' });
  await stopContainer(lab.engine, lab.call, record);
  expect((await findContainer(lab.paths, 'fresh')).id).toBe(record.id);
  await removeContainer(lab.engine, record);
});

/** Its clean-up has come to its end. */
async function gone(): Promise<void> {
  await vi.waitUntil(async () => (await lab.remains()).length === 0, { timeout: PATIENCE_MS });
}
