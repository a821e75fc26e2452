import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createContainer } from '../../src/container/create/create-container.ts';
import { removeContainer } from '../../src/container/end/remove-container.ts';
import { waitForContainer, waitUntilCleared } from '../../src/container/end/wait-for-container.ts';
import { findContainer } from '../../src/container/record/catalog.ts';
import type { ContainerRecord } from '../../src/container/record/record.ts';
import { containerState } from '../../src/container/record/state.ts';
import { inspectContainer } from '../../src/container/show/inspect-container.ts';
import { startContainer } from '../../src/container/start/start-container.ts';
import { networkChoice } from '../../src/network/choice.ts';
import { ContainerLab } from '../support/container/container-lab.ts';
import { containerRequest, type RequestParts } from '../support/container/container-request.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';

let lab: ContainerLab;

beforeAll(async () => {
  lab = await ContainerLab.open();
});

afterAll(async () => await lab[Symbol.asyncDispose]());

const NEVER = '0001-01-01T00:00:00Z';

async function created(command: readonly string[], parts: RequestParts = {}): Promise<ContainerRecord> {
  const request = containerRequest(command, { autoRemove: false, ...parts });
  return await createContainer(lab.engine, lab.call, request, { pull: 'never' });
}

async function start(record: ContainerRecord): Promise<void> {
  await startContainer(lab.engine, lab.call, record, { cleanupCommand: lab.cleanupCommand });
}

async function stateOf(record: ContainerRecord) {
  return (await inspectContainer(lab.engine, record))['State'];
}

test.each([
  [['nosuch'], 127, '"nosuch" was not found'],
  [['/etc/passwd'], 126, '"/etc/passwd" cannot be executed'],
  // Only crun finds this out.
  [['/proc/nosuch'], 127, '/proc/nosuch'],
] as const)('the state of a container whose command %j cannot be run', async (command, code, text) => {
  const record = await created(command);
  expect(await stateOf(record)).toMatchObject({ Status: 'created', ExitCode: 0, Error: '' });
  await expect(start(record)).rejects.toMatchObject({ exitCode: code });
  const failed = {
    Status: 'created',
    Running: false,
    ExitCode: code,
    Error: expect.stringContaining(text),
    StartedAt: NEVER,
    FinishedAt: NEVER,
  };
  expect(await stateOf(record)).toMatchObject(failed);
  await expect(start(record)).rejects.toMatchObject({ exitCode: code });
  expect(await stateOf(record)).toMatchObject(failed);
  await removeContainer(lab.engine, record);
});

test('one that runs in the foreground and stays says so as well', async () => {
  const parts = { autoRemove: false, name: 'stays' };
  await expect(lab.run(['nosuch'], parts)).rejects.toMatchObject({ exitCode: 127 });
  const record = await findContainer(lab.paths, 'stays');
  expect(await stateOf(record)).toMatchObject({ ExitCode: 127, Error: expect.stringContaining('nosuch') });
  await removeContainer(lab.engine, record);
});

test('another failure has 128, and a start that goes well takes it back', async () => {
  await using taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  const hostPort = typeof address === 'object' ? address!.port : 0;
  const record = await created(['true'], {
    network: {
      ...networkChoice('bridge'),
      ports: [{ hostIp: '127.0.0.1', hostPort, containerPort: 80, protocol: 'tcp' }],
    },
  });
  await expect(start(record)).rejects.toThrow(String(hostPort));
  expect(await stateOf(record)).toMatchObject({
    Status: 'created',
    ExitCode: 128,
    Error: expect.stringContaining(String(hostPort)),
  });
  await new Promise((resolve) => taken.close(resolve));
  await start(record);
  await waitForContainer(lab.paths, record.id);
  await waitUntilCleared(lab.paths, record.id, PATIENCE_MS);
  expect(await stateOf(record)).toMatchObject({ Status: 'exited', ExitCode: 0, Error: '' });
  await removeContainer(lab.engine, record);
});

test('a container that had run before keeps when it ended', async () => {
  const source = join(lab.folder, 'source');
  const mount = { kind: 'bind', source, target: '/x', readOnly: false, createSource: true } as const;
  const record = await created(['sh', '-c', 'exit 3'], { mounts: [mount] });
  await start(record);
  await waitForContainer(lab.paths, record.id);
  await waitUntilCleared(lab.paths, record.id, PATIENCE_MS);
  const before = containerState(lab.paths, record.id);
  expect(before).toMatchObject({ status: 'exited', exitCode: 3 });
  // Only crun finds out that it is gone; the records of the last run are cleared away by then.
  await rm(source, { recursive: true });
  await expect(start(record)).rejects.toThrow();
  expect(containerState(lab.paths, record.id)).toMatchObject({
    status: 'exited',
    exitCode: 3,
    error: expect.stringContaining(source),
    startedAt: before.startedAt,
    finishedAt: before.finishedAt,
  });
  await removeContainer(lab.engine, record);
});
