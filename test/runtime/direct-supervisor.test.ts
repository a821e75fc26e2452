import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { isOcitsError, type OcitsError } from '../../src/errors.ts';
import { settleExit, waitForExit } from '../../src/runtime/conmon/wait-for-exit.ts';
import { createDirectSupervisor } from '../../src/runtime/crun/direct-supervisor.ts';
import { readExitRecord, readPidRecord } from '../../src/runtime/crun/records.ts';
import type { RunningContainer, StartRequest } from '../../src/runtime/supervisor.ts';
import { isRunning } from '../../src/system/process/process-identity.ts';
import { type ContainerHost, containerHost, outcome } from '../support/container/container-host.ts';
import type { SpecChanges } from '../support/container/container-spec.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';

const DRIVER = join(import.meta.dirname, '../support/container/run-container.ts');

async function runIn(host: ContainerHost, args: readonly string[], changes: SpecChanges = {}) {
  const process = { ...changes.process, args };
  return await outcome(await createDirectSupervisor(host.paths).start(host.request({ ...changes, process })));
}

test('a container prints, ends, and leaves its exit code behind', async () => {
  await using host = await containerHost();
  const request = host.request({ process: { args: ['sh', '-c', 'echo out; echo err >&2; exit 42'] } });
  const container = await createDirectSupervisor(host.paths).start(request);
  expect(container.pid).toBeGreaterThan(1);
  expect(await outcome(container)).toEqual({ stdout: 'out\n', stderr: 'err\n', exitCode: 42 });
  expect(readExitRecord(request.folder)).toMatchObject({ exitCode: 42, oomKilled: false });
  expect(settleExit(request.folder)).toBe(true);
  expect(readExitRecord(request.folder)).toMatchObject({ exitCode: 42 });
  expectNothingLeft(host, request);
});

test.each([
  [['true'], 0],
  [['false'], 1],
  [['sh', '-c', 'exit 255'], 255],
  [['sh', '-c', 'sh -c "kill -TERM \\$\\$"; exit $?'], 143],
])('%j ends with %i', async (args, exitCode) => {
  await using host = await containerHost();
  expect(await runIn(host, args)).toMatchObject({ exitCode });
});

test('a signal ends the first process with 128 and its number, and pipes carry input', async () => {
  await using host = await containerHost();
  const request = host.request(
    { process: { args: ['sh', '-c', 'trap "exit 3" USR1; cat; echo ready; sleep 60 & wait'] } },
    { stdio: { stdin: 'pipe', stdout: 'pipe', stderr: 'ignore' } },
  );
  const container = await createDirectSupervisor(host.paths).start(request);
  container.stdin!.end('input\n');
  let seen = '';
  for await (const chunk of container.stdout!) {
    seen += String(chunk);
    if (seen.endsWith('ready\n')) break;
  }
  expect(seen).toBe('input\nready\n');
  expect(isRunning(readPidRecord(request.folder)!)).toBe(true);
  await container.kill('usr1');
  expect(await container.wait()).toMatchObject({ exitCode: 3 });
  await container.kill('KILL');

  const sleeper = await createDirectSupervisor(host.paths).start(
    host.request({ process: { args: ['sleep', '60'] } }),
  );
  await sleeper.kill('SIGKILL');
  expect(await sleeper.wait()).toMatchObject({ exitCode: 137, oomKilled: false });
});

test.each([
  ['nosuch', 'not-found', 127],
  ['/nosuch', 'not-found', 127],
  ['no\nsuch', 'not-found', 127],
  ['/etc', 'not-executable', 126],
  ['/etc/plain', 'not-executable', 126],
  ['/etc/plain/below', 'not-executable', 126],
  ['loop', 'not-executable', 126],
  ['n'.repeat(5000), 'not-executable', 126],
])('the command %j fails as Docker does', async (command, code, exitCode) => {
  await using host = await containerHost();
  const request = host.request({ process: { args: [command, 'x'] } });
  const error = await failure(createDirectSupervisor(host.paths).start(request));
  expect([error.code, error.exitCode]).toEqual([code, exitCode]);
  expectNothingLeft(host, request);
});

test('a program that the kernel refuses says so, and is no success', async () => {
  await using host = await containerHost();
  expect(await runIn(host, ['garbage'])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('Exec format error'),
  });
  expect(await runIn(host, ['lost'])).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('No such file'),
  });
});

test('a root that cannot be mounted, and a mount source that is not there, are errors that name them', async () => {
  await using host = await containerHost();
  const supervisor = createDirectSupervisor(host.paths);
  const broken = host.request(
    {},
    { rootMounts: [{ type: 'overlay', source: 'overlay', options: ['lowerdir=/nowhere'] }] },
  );
  expect((await failure(supervisor.start(broken))).message).toMatch(/root cannot be mounted: .*overlay/s);
  const bind = { kind: 'bind', source: '/nowhere', target: '/x', readOnly: false } as const;
  const request = host.request({ mounts: [bind] });
  const error = await failure(supervisor.start(request));
  expect(error).toMatchObject({
    code: 'tool-failed',
    exitCode: 125,
    message: expect.stringContaining('/nowhere'),
  });
  expectNothingLeft(host, request);
});

test('an aborted start leaves nothing', async () => {
  await using host = await containerHost();
  for (const ms of [0, 5, 15, 30]) {
    const request = host.request({ process: { args: ['sleep', '60'] } }, { signal: AbortSignal.timeout(ms) });
    const result = await createDirectSupervisor(host.paths)
      .start(request)
      .catch((error: unknown) => error);
    // Too late an abort is no abort: the container runs, and is the caller's to kill.
    if (result instanceof Error) {
      expect(result.name).toBe('TimeoutError');
    } else {
      await (result as RunningContainer).kill('KILL');
      await (result as RunningContainer).wait();
    }
    expectNothingLeft(host, request);
  }
});

test('the container has three descriptors, and ours that were inherited cannot be entered', async () => {
  await using host = await containerHost();
  const listing = host.request(
    { process: { args: ['busybox', 'sh', '-c', 'ls -l /proc/1/fd'] } },
    inherited(),
  );
  const names = await viaShell(host, listing, 'exec 3</ 7</etc 11</ 55</usr');
  expect(names.stdout.match(/ \d+ ->/g)).toEqual([' 0 ->', ' 1 ->', ' 2 ->']);
  for (const fd of [3, 7, 55]) {
    const link = `/tmp/fd-${fd}`;
    const make = host.request({ process: { args: ['busybox', 'ln', '-s', `/proc/self/fd/${fd}`, link] } });
    await outcome(await createDirectSupervisor(host.paths).start(make));
    const attack = {
      ...host.request({ process: { args: ['ls', '/proc/self/cwd/'], cwd: link } }, inherited()),
      folder: make.folder,
      rootMounts: make.rootMounts,
    };
    const spec = { ...attack.spec, rootfs: make.spec.rootfs };
    const result = await viaShell(host, { ...attack, spec }, 'exec 3</ 7</etc 11</ 55</usr');
    expect(result.exitCode).not.toBe(0);
    expect(result.stderr).toMatch(/Not a directory|No such file/);
  }
});

test('killing ocits leaves the container running, and its end can be told later', async () => {
  await using host = await containerHost();
  const request = host.request({ process: { args: ['sh', '-c', 'echo up; sleep 60'] } }, inherited());
  const child = driver(host, request);
  onTestFinished(() => void child.kill('SIGKILL'));
  await firstOutput(child);
  const record = await vi.waitUntil(() => readPidRecord(request.folder), PATIENCE_MS);
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  await delay(100);
  expect(isRunning(record)).toBe(true);
  expect(settleExit(request.folder)).toBe(false);
  process.kill(record.pid, 'SIGKILL');
  expect(await waitForExit(request.folder)).toMatchObject({ exitCode: 255 });
  expect(settleExit(request.folder)).toBe(true);
  expect(readExitRecord(request.folder)).toMatchObject({ exitCode: 255 });
});

test.each([
  // One signal has come, and for a while no other.
  ['direct', 1, 'while [ $n = 0 ]; do sleep 0.02; done'],
  ['deaf', 0, 'true'],
])('Ctrl-C of the terminal reaches the container by us alone: %s', async (kind, count, first) => {
  await using host = await containerHost();
  const wait = 'i=0; while [ $i -lt 20 ]; do sleep 0.02; i=$((i+1)); done';
  const script = `n=0; trap 'n=$((n+1))' INT; echo up; ${first}; ${wait}; exit $n`;
  const request = host.request({ process: { args: ['sh', '-c', script] } }, inherited());
  const child = driver(host, request, kind);
  await firstOutput(child);
  // As a terminal does it: to the whole foreground group.
  process.kill(-child.pid!, 'SIGINT');
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(count);
});

test('200 MB go through a pipe without us, and the pipe stays blocking', async () => {
  await using host = await containerHost();
  const request = host.request(
    { process: { args: ['dd', 'if=/dev/zero', 'bs=1M', 'count=200', 'status=none'] } },
    inherited(),
  );
  const result = await viaShell(host, request, 'true', '| wc -c');
  expect(result.stdout.trim()).toBe(String(200 * 1024 * 1024));
});

function inherited(): Partial<StartRequest> {
  return { stdio: { stdin: 'ignore', stdout: 'inherit', stderr: 'inherit' } };
}

function driverArguments(host: ContainerHost, request: StartRequest): readonly string[] {
  const file = join(request.folder, 'request.json');
  writeFileSync(file, JSON.stringify(request));
  return [DRIVER, file, host.paths.run];
}

function driver(host: ContainerHost, request: StartRequest, kind = 'direct'): ChildProcess {
  const child = spawn(process.execPath, [...driverArguments(host, request), kind], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  return child;
}

/** Runs the driver below a shell that has first done `prelude`. */
async function viaShell(host: ContainerHost, request: StartRequest, prelude: string, suffix = '') {
  const script = `${prelude}; "$@" ${suffix}`;
  const child = spawn('bash', ['-c', script, 'sh', process.execPath, ...driverArguments(host, request)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { stdout, stderr, exitCode: await ended };
}

async function firstOutput(child: ChildProcess): Promise<string> {
  return await new Promise((resolve) => child.stdout!.once('data', (data) => resolve(String(data))));
}

async function failure(work: Promise<unknown>): Promise<OcitsError> {
  const error = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (!isOcitsError(error)) throw error;
  return error;
}

/** No state of crun's, no cgroup and no mount of the container is there any more. */
function expectNothingLeft(host: ContainerHost, { spec }: StartRequest): void {
  const state = join(host.paths.run, 'crun');
  expect(existsSync(state) ? readdirSync(state) : []).toEqual([]);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(spec.rootfs);
  for (const root of ['/sys/fs/cgroup/memory', '/sys/fs/cgroup/pids', '/sys/fs/cgroup']) {
    expect(existsSync(join(root, 'ocits', spec.id))).toBe(false);
  }
  expect(statSync(spec.rootfs).isDirectory()).toBe(true);
}
