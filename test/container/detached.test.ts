import { writeFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withSignal } from '../../src/call.ts';
import { sweepContainers } from '../../src/container/clear/sweep-containers.ts';
import { createContainer } from '../../src/container/create/create-container.ts';
import { pruneContainers, removeContainer } from '../../src/container/end/remove-container.ts';
import { killContainer, restartContainer, stopContainer } from '../../src/container/end/stop-container.ts';
import { waitForContainer, waitUntilCleared } from '../../src/container/end/wait-for-container.ts';
import { findContainer, readContainer } from '../../src/container/record/catalog.ts';
import { containerFolder, containerLock } from '../../src/container/record/folder.ts';
import { completeMarks } from '../../src/container/record/live-marks.ts';
import type { ContainerRecord } from '../../src/container/record/record.ts';
import { containerState } from '../../src/container/record/state.ts';
import { parseContainerFilters } from '../../src/container/show/container-filters.ts';
import { exportContainer } from '../../src/container/show/export-container.ts';
import { inspectContainer } from '../../src/container/show/inspect-container.ts';
import { listContainers } from '../../src/container/show/list-containers.ts';
import type { LogOptions } from '../../src/container/show/logs.ts';
import { containerLogs } from '../../src/container/show/logs.ts';
import { execInContainer } from '../../src/container/start/exec-container.ts';
import { launchContainer } from '../../src/container/start/launch.ts';
import { startContainer } from '../../src/container/start/start-container.ts';
import { OcitsError } from '../../src/errors.ts';
import { networkChoice } from '../../src/network/choice.ts';
import { readPidRecord, writePidRecord } from '../../src/runtime/crun/records.ts';
import { withLock } from '../../src/system/task/lock.ts';
import { ContainerLab } from '../support/container/container-lab.ts';
import { containerRequest } from '../support/container/container-request.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';

let lab: ContainerLab;

beforeAll(async () => {
  lab = await ContainerLab.open();
});

afterAll(async () => await lab[Symbol.asyncDispose]());

const LISTENING = 'trap "echo stopped; exit 3" TERM; echo started; while :; do sleep 0.05; done';

/** An exited container's clean-up has come to its end. */
async function ended({ id }: ContainerRecord) {
  const exit = await waitForContainer(lab.paths, id);
  await waitUntilCleared(lab.paths, id, PATIENCE_MS);
  return exit;
}

async function logOf(record: ContainerRecord, options: LogOptions = {}): Promise<string> {
  let output = '';
  for await (const { data } of containerLogs(lab.engine, lab.call, record, options))
    output += data.toString();
  return output;
}

const stateOf = ({ id }: ContainerRecord) => containerState(lab.paths, id);

describe('a container in the background', () => {
  test('runs, is stopped by its signal, and its end is known', async () => {
    const record = await lab.detached(['sh', '-c', LISTENING], { network: networkChoice('bridge') });
    expect(stateOf(record)).toMatchObject({ status: 'running', exitCode: 0 });
    await logged(record, 'started');
    await stopContainer(lab.engine, lab.call, record, { timeoutSeconds: 10 });
    expect(stateOf(record)).toMatchObject({ status: 'exited', pid: 0, exitCode: 3, oomKilled: false });
    expect(await (await lab.engine.network()).find(record.id)).toBeUndefined();
    expect(await logOf(record)).toBe('started\nstopped\n');
    await stopContainer(lab.engine, lab.call, record);
  });

  test('is killed when it does not listen', async () => {
    const record = await lab.detached(['sleep', '60']);
    const start = performance.now();
    await stopContainer(lab.engine, lab.call, record, { timeoutSeconds: 0.3 });
    expect(stateOf(record).exitCode).toBe(137);
    expect(performance.now() - start).toBeGreaterThan(300);
  });

  test('keeps what it has written when it is started again', async () => {
    const script = 'cat /state 2>/dev/null; echo again >> /state; echo more >> /etc/passwd; id -un';
    const record = await lab.detached(['sh', '-c', script], { network: networkChoice('bridge') });
    expect((await ended(record)).exitCode).toBe(0);
    await startContainer(lab.engine, lab.call, record, { cleanupCommand: lab.cleanupCommand });
    await ended(record);
    expect(await logOf(record)).toBe('root\nagain\nroot\n');
    await restartContainer(lab.engine, lab.call, record, { cleanupCommand: lab.cleanupCommand });
    await ended(record);
    expect(await logOf(record, { tail: 2 })).toBe('again\nroot\n');
  });

  test('goes by itself where it was to go, with its volumes', async () => {
    const record = await lab.detached(['sh', '-c', 'exit 5'], {
      autoRemove: true,
      mounts: [{ kind: 'volume', target: '/data', readOnly: false, copyImage: true, labels: {} }],
    });
    await waitUntilCleared(lab.paths, record.id, PATIENCE_MS);
    expect(await readContainer(lab.paths, record.id)).toBeUndefined();
    expect(await (await lab.engine.volumes()).list()).toEqual([]);
  });

  test('runs another process in it', async () => {
    const record = await lab.detached(['sh', '-c', LISTENING], { process: { env: ['A=1'] } });
    const exec = async (...command: string[]) => {
      const process = await execInContainer(lab.engine, record, {
        command,
        env: ['B=2'],
        user: 'nobody',
        workdir: '/tmp',
        terminal: false,
        privileged: false,
        detach: false,
        stdio: { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' },
      });
      process.stdin!.end('input');
      const [stdout] = await Promise.all([text(process.stdout!), text(process.stderr!)]);
      return { stdout, exitCode: await process.wait() };
    };
    const script = 'id -un; pwd; echo $A $B $HOME; cat; exit 9';
    expect(await exec('sh', '-c', script)).toEqual({ stdout: 'nobody\n/tmp\n1 2 /home\ninput', exitCode: 9 });
    await expect(exec('nosuch')).rejects.toMatchObject({ code: 'not-found', exitCode: 127 });
    killContainer(lab.engine, record, 'KILL');
    await ended(record);
    await expect(exec('true')).rejects.toMatchObject({ code: 'in-use' });
    expect(() => killContainer(lab.engine, record, 'TERM')).toThrow('is not running');
    expect(() => killContainer(lab.engine, record, 'NOPE')).toThrow('"NOPE" is no signal');
  });

  test('follows a log to the end', async () => {
    const record = await lab.detached(['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 0.1; done']);
    expect(await logOf(record, { follow: true })).toBe('1\n2\n3\n');
    expect(await logOf(record, { timestamps: true, tail: 1 })).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z 3\n$/);
    expect(await logOf(record, { since: new Date(Date.now() + 1000) })).toBe('');
  });

  test('is there, too, when its start fails', async () => {
    const request = containerRequest(['nosuch'], { autoRemove: false, name: 'broken' });
    const record = await createContainer(lab.engine, lab.call, request);
    const start = startContainer(lab.engine, lab.call, record, { cleanupCommand: lab.cleanupCommand });
    await expect(start).rejects.toMatchObject({ code: 'not-found', exitCode: 127 });
    expect(stateOf(record).status).toBe('created');
    await removeContainer(lab.engine, record);
  });
});

async function logged(record: ContainerRecord, line: string): Promise<void> {
  const call = withSignal(lab.call, AbortSignal.timeout(PATIENCE_MS));
  let output = '';
  for await (const { data } of containerLogs(lab.engine, call, record, { follow: true })) {
    output += data.toString();
    if (output.includes(line)) return;
  }
}

test('one that goes by itself waits for its start; without one who made it to start it, it is cleared away', async () => {
  const request = containerRequest(['true'], { name: 'later' });
  const waiting = await createContainer(lab.engine, lab.call, request);
  const abandoned = await createContainer(lab.engine, lab.call, containerRequest(['true']), {
    startsNow: true,
  });
  await completeMarks(lab.paths);
  await pretendDead(abandoned);
  await pretendDead(waiting);
  await sweepContainers(lab.engine);
  expect(await readContainer(lab.paths, abandoned.id)).toBeUndefined();
  await startContainer(lab.engine, lab.call, waiting, { cleanupCommand: lab.cleanupCommand });
  await waitUntilCleared(lab.paths, waiting.id, PATIENCE_MS);
  expect(await readContainer(lab.paths, waiting.id)).toBeUndefined();
});

/** As if the process that made the container had ended. */
async function pretendDead(record: ContainerRecord): Promise<void> {
  const creator = { ...record.lifetime.creator, startTicks: 0 };
  const { spec } = containerFolder(lab.paths, record.id);
  await writeFile(spec, JSON.stringify({ ...record, lifetime: { ...record.lifetime, creator } }));
}

test('what we kill ourselves was not killed for memory', async () => {
  const isolation = { resources: { memoryBytes: 64 * 1024 * 1024 } };
  const record = await lab.detached(['sleep', '60'], { isolation });
  const { folder } = containerFolder(lab.paths, record.id);
  // As if the kernel had killed something since.
  writePidRecord(folder, { ...readPidRecord(folder)!, oomKillsBefore: -1 });
  killContainer(lab.engine, record, 'KILL');
  await ended(record);
  expect(stateOf(record)).toMatchObject({ exitCode: 137, oomKilled: false });
});

test('a container that starts meanwhile is neither removed nor mounted a second time', async () => {
  const record = await createContainer(lab.engine, lab.call, containerRequest(['sh', '-c', LISTENING]));
  const unmounted = {
    ...lab.engine,
    snapshotter: () => Promise.reject(new Error('mounted a second time')),
  };
  const archive = new PassThrough();
  const [removal, exported] = await withLock(
    containerLock(lab.paths, record.id),
    { mode: 'exclusive' },
    async () => {
      const waiting = [
        removeContainer(lab.engine, record),
        exportContainer(unmounted, lab.call, record, archive).finally(() => archive.end()),
      ] as const;
      const settled = Promise.allSettled(waiting);
      await launchContainer(lab.engine, lab.call, record, {
        supervisor: 'conmon',
        stdio: { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' },
      }).then((running) => running.release?.());
      return [settled, buffer(archive)] as const;
    },
  );
  expect((await exported).length).toBeGreaterThan(1_000_000);
  expect(await removal).toMatchObject([
    { status: 'rejected', reason: { code: 'in-use' } },
    { status: 'fulfilled' },
  ]);
  await removeContainer(lab.engine, record, { force: true });
}, 30_000);

describe('containers', () => {
  test('are found by name, ID and the beginning of an ID', async () => {
    const made = await createContainer(
      lab.engine,
      lab.call,
      containerRequest(['true'], { name: 'findme', autoRemove: false }),
    );
    for (const name of ['findme', '/findme', made.id, made.id.slice(0, 10)]) {
      expect((await findContainer(lab.paths, name)).id).toBe(made.id);
    }
    await expect(findContainer(lab.paths, 'nosuch')).rejects.toMatchObject({ code: 'not-found' });
    await expect(findContainer(lab.paths, '../findme')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('have one name each', async () => {
    const request = containerRequest(['true'], { name: 'only', autoRemove: false });
    const results = await Promise.allSettled(
      [1, 2, 3].map(() => createContainer(lab.engine, lab.call, request)),
    );
    const made = results.filter((result) => result.status === 'fulfilled');
    expect(made).toHaveLength(1);
    const refused = results.find((result) => result.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'already-exists' });
    expect(refused?.reason.message).toContain(made[0]!.value.id.slice(0, 12));
    await removeContainer(lab.engine, made[0]!.value);
    await removeContainer(lab.engine, await createContainer(lab.engine, lab.call, request));
  });

  test('are listed, filtered and pruned', async () => {
    await pruneContainers(lab.engine);
    const [first, second] = [
      await lab.detached(['sleep', '60'], { name: 'first', labels: { tier: 'db', a: 'b' } }),
      await lab.detached(['sh', '-c', 'exit 4'], { name: 'second', labels: { tier: 'web' } }),
    ];
    await ended(second);
    const names = async (options: Parameters<typeof listContainers>[1]) =>
      (await listContainers(lab.engine, options)).map(({ record }) => record.name);
    expect(await names({})).toEqual(['first']);
    expect(await names({ all: true })).toEqual(['second', 'first']);
    expect(await names({ last: 1 })).toEqual(['second']);
    const filtered = (key: string, ...values: string[]) =>
      names({ all: true, filters: parseContainerFilters(values.map((value) => `${key}=${value}`)) });
    expect(await filtered('label', 'tier')).toEqual(['second', 'first']);
    expect(await filtered('label', 'tier', 'a=b')).toEqual(['first']);
    expect(await filtered('exited', '4')).toEqual(['second']);
    expect(await filtered('status', 'running', 'created')).toEqual(['first']);
    expect(await filtered('ancestor', 'docker.io/library/busybox:latest')).toEqual(['second', 'first']);
    expect(await filtered('name', '^/sec')).toEqual(['second']);
    expect(await filtered('since', 'first')).toEqual(['second']);
    expect(await filtered('ancestor', 'busybox', 'nosuch')).toEqual(['second', 'first']);
    expect(await filtered('ancestor', first.image.id.slice(7, 19))).toEqual(['second', 'first']);
    for (const unknown of ['nosuch', '', 'No Name', 'ffff'])
      expect(await filtered('ancestor', unknown)).toEqual([]);
    await expect(filtered('before', 'nosuch')).rejects.toMatchObject({ code: 'not-found' });
    // A status lists what does not run, too; an exit code does not.
    expect(await names({ filters: parseContainerFilters(['status=exited']) })).toEqual(['second']);
    expect(await names({ filters: parseContainerFilters(['exited=4']) })).toEqual([]);
    expect((await pruneContainers(lab.engine)).ids).toEqual([second.id]);
    await expect(removeContainer(lab.engine, first)).rejects.toMatchObject({ code: 'in-use' });
    await removeContainer(lab.engine, first, { force: true });
    expect(await names({ all: true })).toEqual([]);
  });

  test('are pruned although one of them starts meanwhile, and another cannot be removed', async () => {
    const [quick, stuck, last] = [
      await lab.detached(['true'], { name: 'quick' }),
      await lab.detached(['true'], { name: 'stuck' }),
      await lab.detached(['sh', '-c', 'test -e /ran || { touch /ran; exit 0; }; sleep 60'], { name: 'last' }),
    ];
    for (const record of [quick, stuck, last]) await ended(record);
    const snapshotter = await lab.engine.snapshotter();
    const usage = async (folder: string) => {
      if (folder.includes(stuck.id)) throw new OcitsError('tool-failed', 'it is stuck');
      // Behind the look at the list, and before the removal.
      if (folder.includes(last.id)) {
        await startContainer(lab.engine, lab.call, last, { cleanupCommand: lab.cleanupCommand });
      }
      return await snapshotter.usage(folder);
    };
    const engine = {
      ...lab.engine,
      snapshotter: async () => Object.assign(Object.create(snapshotter), { usage }),
    };
    expect(await pruneContainers(engine)).toMatchObject({
      ids: [quick.id],
      failures: [{ message: 'it is stuck' }],
    });
    await removeContainer(lab.engine, stuck);
    await removeContainer(lab.engine, last, { force: true });
  });

  test('are described as Docker does', async () => {
    const record = await lab.detached(['sleep', '60'], {
      name: 'described',
      network: {
        ...networkChoice('bridge'),
        ports: [{ hostIp: '127.0.0.1', hostPort: 0, containerPort: 80, protocol: 'tcp' }],
      },
      process: { env: ['A=1'] },
    });
    const { State, Config, NetworkSettings, ...rest } = await inspectContainer(lab.engine, record, {
      size: true,
    });
    expect(rest).toMatchObject({
      Id: record.id,
      Name: '/described',
      Path: 'sleep',
      Args: ['60'],
      SizeRw: expect.any(Number),
    });
    expect(State).toMatchObject({ Status: 'running', Running: true, Pid: expect.any(Number), ExitCode: 0 });
    expect(Config).toMatchObject({
      Image: 'busybox',
      Env: [expect.stringMatching(/^PATH=/), 'A=1'],
      Cmd: ['sleep', '60'],
    });
    expect(NetworkSettings).toMatchObject({
      IPAddress: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/),
      Ports: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: expect.stringMatching(/^\d+$/) }] },
    });
    await removeContainer(lab.engine, record, { force: true });
  });

  test('wait for the end of one that goes by itself', async () => {
    const script = 'trap "exit 6" TERM; echo started; while :; do sleep 0.05; done';
    const record = await lab.detached(['sh', '-c', script], { autoRemove: true });
    await logged(record, 'started');
    const ended = waitForContainer(lab.paths, record.id);
    killContainer(lab.engine, record, 'TERM');
    expect((await ended).exitCode).toBe(6);
  });
});
