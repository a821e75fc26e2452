import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { isOcitsError } from '../../src/errors.ts';
import { removeConmonFiles } from '../../src/runtime/conmon/conmon-folder.ts';
import { createConmonSupervisor } from '../../src/runtime/conmon/conmon-supervisor.ts';
import { settleExit, waitForExit } from '../../src/runtime/conmon/wait-for-exit.ts';
import { crunDelete, crunState, openCrun } from '../../src/runtime/crun/crun.ts';
import { readExitRecord, readPidRecord } from '../../src/runtime/crun/records.ts';
import { readLog } from '../../src/runtime/log/read-log.ts';
import type { StartRequest } from '../../src/runtime/supervisor.ts';
import { isRunning } from '../../src/system/process/process-identity.ts';
import { type ContainerHost, containerHost, outcome } from '../support/container/container-host.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';
import { processesOf } from '../support/program/processes.ts';

const DETACHED = { stdio: { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } } as const;

async function start(host: ContainerHost, request: StartRequest) {
  return await createConmonSupervisor(host.paths).start(request);
}

async function log(request: StartRequest): Promise<string> {
  let text = '';
  for await (const { stream, data } of readLog(join(request.folder, 'log'))) text += `${stream}: ${data}`;
  return text;
}

test('a detached container has a log, an exit code, and the same record as any other', async () => {
  await using host = await containerHost();
  const request = host.request({ process: { args: ['sh', '-c', 'echo out; exit 9'] } }, DETACHED);
  const container = await start(host, request);
  expect(container.pid).toBeGreaterThan(1);
  expect(await container.wait()).toMatchObject({ exitCode: 9, oomKilled: false });
  expect(await log(request)).toBe('stdout: out\n');
  expect(settleExit(request.folder)).toBe(true);
  expect(readExitRecord(request.folder)).toMatchObject({ exitCode: 9 });
  expect(readExitRecord(request.folder)).toMatchObject({ exitCode: 9 });
});

test('the container runs on without us, and any process can wait for it, kill it and follow its log', async () => {
  await using host = await containerHost();
  const request = host.request(
    { process: { args: ['sh', '-c', 'trap "echo bye; exit 4" TERM; echo up; sleep 60 & wait'] } },
    DETACHED,
  );
  const container = await start(host, request);
  const record = readPidRecord(request.folder)!;
  expect(record.pid).toBe(container.pid);
  expect(isRunning(record)).toBe(true);
  const waiting = waitForExit(request.folder);
  const following = (async () => {
    let text = '';
    for await (const { data } of readLog(join(request.folder, 'log'), { followUntil: waiting })) {
      text += data;
      if (text === 'up\n') await container.kill('TERM');
    }
    return text;
  })();
  expect(await following).toBe('up\nbye\n');
  expect(await waiting).toMatchObject({ exitCode: 4 });
});

test('output and input can be had on pipes', async () => {
  await using host = await containerHost();
  const stdio = { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' } as const;
  const request = host.request({ process: { args: ['sh', '-c', 'cat; echo err >&2; exit 2'] } }, { stdio });
  const container = await start(host, request);
  container.stdin!.end('one\ntwo\n');
  expect(await outcome(container)).toEqual({ stdout: 'one\ntwo\n', stderr: 'err\n', exitCode: 2 });
  expect(await log(request)).toContain('stdout: one\ntwo\n');
});

test('a terminal without a terminal of ours has the size that was asked for', async () => {
  await using host = await containerHost();
  const process = {
    args: ['sh', '-c', 'stty size; test -t 0 && test -t 1 && echo tty'],
    terminal: true,
    consoleSize: { rows: 33, columns: 99 },
  };
  const container = await start(host, host.request({ process }));
  expect(await outcome(container)).toEqual({
    stdout: '33 99\r\ntty\r\n',
    stderr: '',
    exitCode: 0,
  });
});

test('a second start writes into the same log and forgets the first end', async () => {
  await using host = await containerHost();
  const first = host.request({ process: { args: ['sh', '-c', 'echo first; exit 1'] } }, DETACHED);
  await (await start(host, first)).wait();
  settleExit(first.folder);
  await crunDelete(await openCrun(host.paths), first.spec.id);
  const spec = { ...first.spec, process: { ...first.spec.process, args: ['echo', 'second'] } };
  const second = { ...first, spec, stdio: { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' } } as const;
  const container = await start(host, second);
  expect(await outcome(container)).toEqual({ stdout: 'second\n', stderr: '', exitCode: 0 });
  expect(await log(first)).toBe('stdout: first\nsecond\n');
});

test("the exit command runs after the end, outside of the container's root", async () => {
  await using host = await containerHost();
  const done = join(host.folder, 'done');
  const request = host.request({ process: { args: ['sh', '-c', 'exit 6'] } }, DETACHED);
  const script =
    'grep -c "$1" /proc/self/mountinfo > "$2.new"; cat "$3"/* >> "$2.new"; ls -l /proc/self/fd >> "$2.new"; mv "$2.new" "$2"';
  const exitCommand = [
    '/bin/sh',
    '-c',
    script,
    'sh',
    request.spec.rootfs,
    done,
    join(request.folder, 'conmon'),
  ];
  await (await start(host, { ...request, exitCommand })).wait();
  await vi.waitUntil(() => existsSync(done), PATIENCE_MS);
  const text = readFileSync(done, 'utf8');
  expect(text).toMatch(/^0\n6/);
  expect(text).not.toMatch(/socket:/);
});

test.each([
  ['nosuch', 'not-found', 127],
  ['/etc', 'not-executable', 126],
])(
  'a start that fails, as of %s, leaves nothing and runs no exit command',
  async (command, code, exitCode) => {
    await using host = await containerHost();
    const marker = join(host.folder, 'marker');
    const request = host.request(
      { process: { args: [command] } },
      { ...DETACHED, exitCommand: ['/bin/touch', marker] },
    );
    const error = await start(host, request).catch((reason: unknown) => reason);
    if (!isOcitsError(error)) throw error;
    expect([error.code, error.exitCode]).toEqual([code, exitCode]);
    await expectNothingLeft(host, request);
    expect(existsSync(marker)).toBe(false);
  },
);

test('a root that cannot be mounted is an error that names it', async () => {
  await using host = await containerHost();
  const rootMounts = [{ type: 'overlay', source: 'overlay', options: ['lowerdir=/nowhere'] }];
  const request = host.request({}, { ...DETACHED, rootMounts });
  await expect(start(host, request)).rejects.toThrow(/overlay/);
  await expectNothingLeft(host, request);
});

test('out of memory is told', async () => {
  await using host = await containerHost();
  const resources = { memoryBytes: 16 * 1024 * 1024 };
  const request = host.request({ process: { args: ['busybox', 'tail', '/dev/zero'] }, resources }, DETACHED);
  expect(await (await start(host, request)).wait()).toEqual({
    exitCode: 137,
    oomKilled: true,
    finishedAt: expect.any(String),
  });
});

test('a watcher that was killed leaves an end that nobody knows', async () => {
  await using host = await containerHost();
  const request = host.request({ process: { args: ['sleep', '60'] } }, DETACHED);
  const container = await start(host, request);
  process.kill(Number(readFileSync(join(request.folder, 'conmon-pid'), 'utf8')), 'SIGKILL');
  expect(settleExit(request.folder)).toBe(false);
  await container.kill('KILL');
  expect(await container.wait()).toMatchObject({ exitCode: 255 });
  expect(settleExit(request.folder)).toBe(true);
  expect(readExitRecord(request.folder)).toMatchObject({ exitCode: 255 });
});

/** Neither crun's state nor a cgroup, a mount, a watcher or a socket of the container. */
async function expectNothingLeft(host: ContainerHost, request: StartRequest): Promise<void> {
  expect(await crunState(await openCrun(host.paths), request.spec.id)).toBeUndefined();
  const sockets = join(host.paths.run, 's');
  expect(existsSync(sockets) ? readdirSync(sockets) : []).toEqual([]);
  expect(existsSync(join('/sys/fs/cgroup/memory/ocits', request.spec.id))).toBe(false);
  await vi.waitUntil(() => processesOf(request.spec.id).length === 0, PATIENCE_MS);
  expect(readPidRecord(request.folder)).toBeUndefined();
  removeConmonFiles(host.paths, request.folder);
}
