import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandLine } from '../support/program/command-line.ts';

/** Where one limit is read from inside, by the version of the host's cgroups, and what it says then. */
interface Reading {
  readonly flags: readonly string[];
  readonly v1: readonly [file: string, text: string];
  readonly v2: readonly [file: string, text: string];
}

let ocits: CommandLine;
const isV2 = existsSync('/sys/fs/cgroup/cgroup.controllers');

beforeAll(async () => {
  ocits = await CommandLine.open(['busybox']);
  await ocits.ok('pull', '-q', 'busybox');
});
afterAll(() => ocits[Symbol.asyncDispose]());

const MIB = 1024 * 1024;
const READINGS: Readonly<Record<string, Reading>> = {
  memory: {
    flags: ['--memory', '64m'],
    v1: ['memory/memory.limit_in_bytes', `${64 * MIB}`],
    v2: ['memory.max', `${64 * MIB}`],
  },
  'soft memory': {
    flags: ['--memory-reservation', '32m'],
    v1: ['memory/memory.soft_limit_in_bytes', `${32 * MIB}`],
    v2: ['memory.low', `${32 * MIB}`],
  },
  processors: {
    flags: ['--cpus', '0.5'],
    v1: ['cpu/cpu.cfs_quota_us', '50000'],
    v2: ['cpu.max', '50000 100000'],
  },
  shares: {
    flags: ['--cpu-shares', '512'],
    v1: ['cpu/cpu.shares', '512'],
    v2: ['cpu.weight', '20'],
  },
  'the choice of processors': {
    flags: ['--cpuset-cpus', '0'],
    v1: ['cpuset/cpuset.cpus', '0'],
    v2: ['cpuset.cpus', '0'],
  },
  processes: {
    flags: ['--pids-limit', '33'],
    v1: ['pids/pids.max', '33'],
    v2: ['pids.max', '33'],
  },
};

const run = (...args: string[]) => ocits.ok('run', '--rm', '--network', 'none', ...args);

describe.each(Object.entries(READINGS))('a limit of %s', (_name, { flags, v1, v2 }) => {
  const [file, text] = isV2 ? v2 : v1;

  test('is read back from inside, in the foreground and in the background', async () => {
    const path = `/sys/fs/cgroup/${file}`;
    expect((await run(...flags, 'busybox', 'cat', path)).trim()).toBe(text);
    const id = (await ocits.ok('run', '-d', '--network', 'none', ...flags, 'busybox', 'sleep', '60')).trim();
    const inside = await ocits.ok('exec', id, 'cat', path);
    await ocits.ok('rm', '-f', id);
    expect(inside.trim()).toBe(text);
  });
});

describe('a limit holds', () => {
  test('of memory: what wants more is killed, and inspect tells why', async () => {
    const flags = ['--network', 'none', '--memory', '32m', '--name', 'greedy'];
    const { code } = await ocits.run(['run', ...flags, 'busybox', 'tail', '/dev/zero']);
    const format = '{{.State.OOMKilled}} {{.State.ExitCode}} {{.HostConfig.Memory}}';
    const told = await ocits.ok('inspect', '-f', format, 'greedy');
    await ocits.ok('rm', 'greedy');
    expect({ code, told }).toEqual({ code: 137, told: `true 137 ${32 * MIB}\n` });
  });

  test('of processes: there are no more than that', async () => {
    const script = 'for i in 1 2 3 4 5 6 7 8; do sleep 600 & done; wait';
    const flags = ['--rm', '--network', 'none', '--pids-limit', '5'];
    const { code, stderr } = await ocits.run(['run', ...flags, 'busybox', 'sh', '-c', script]);
    expect(stderr).toContain("can't fork");
    expect(code).not.toBe(0);
  });

  test('of processors: the kernel holds it back', async () => {
    const script = 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; cat /sys/fs/cgroup/CPU/cpu.stat';
    const where = isV2 ? '.' : 'cpu';
    const output = await run('--cpus', '0.2', 'busybox', 'sh', '-c', script.replace('CPU', where));
    expect(Number(/^nr_throttled (\d+)$/m.exec(output)?.[1])).toBeGreaterThan(0);
  });

  test('of open files, below what the host allows', async () => {
    const script = 'ulimit -n; ulimit -Hn';
    expect(await run('--ulimit', 'nofile=100:200', 'busybox', 'sh', '-c', script)).toBe('100\n200\n');
  });
});

test('without limits a container has what the host has', async () => {
  const [memory, cpu] = isV2
    ? ['memory.max', 'cpu.max']
    : ['memory/memory.limit_in_bytes', 'cpu/cpu.cfs_quota_us'];
  const output = await run('busybox', 'sh', '-c', `cd /sys/fs/cgroup; cat ${memory} ${cpu}; nproc`);
  expect(output).toMatch(isV2 ? /^max\nmax 100000\n/ : /^9223372036854771712\n-1\n/);
  expect(Number(output.trim().split('\n').at(-1))).toBe(availableParallelism());
});

test('a container sees its own cgroup as the root, and cannot change it', async () => {
  const made = isV2 ? '/sys/fs/cgroup/x' : '/sys/fs/cgroup/memory/x';
  const output = await run('busybox', 'sh', '-c', `mkdir ${made} 2>&1; cat /proc/self/cgroup`);
  const [first, ...lines] = output.trimEnd().split('\n');
  expect(first).toContain('Read-only file system');
  expect(new Set(lines.map((line) => line.split(':')[2]))).toEqual(new Set(['/']));
});

test.each([
  [['--memory', '1k'], /--memory/],
  [['--memory', 'lots'], /--memory/],
  [['--cpus', '-1'], /--cpus/],
  [['--pids-limit', 'x'], /--pids-limit/],
])('%j is told, and starts nothing', async (flags, message) => {
  const { code, stderr } = await ocits.run(['run', '--rm', '--network', 'none', ...flags, 'busybox', 'true']);
  expect({ code, stderr }).toEqual({ code: 125, stderr: expect.stringMatching(message) });
  expect(await ocits.ok('ps', '-aq')).toBe('');
});
