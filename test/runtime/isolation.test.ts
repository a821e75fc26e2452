import { execFileSync } from 'node:child_process';
import { mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createDirectSupervisor } from '../../src/runtime/crun/direct-supervisor.ts';
import { hostCgroups } from '../../src/runtime/launch/host-cgroups.ts';
import { hostFacts } from '../../src/runtime/launch/read-host-facts.ts';
import { type ContainerHost, containerHost, outcome } from '../support/container/container-host.ts';
import { containerSpec, type SpecChanges } from '../support/container/container-spec.ts';

async function sh(host: ContainerHost, script: string, changes: SpecChanges = {}): Promise<string> {
  const process = { ...changes.process, args: ['sh', '-c', script] };
  const container = await createDirectSupervisor(host.paths).start(host.request({ ...changes, process }));
  const { stdout, stderr } = await outcome(container);
  return stdout + stderr;
}

const LIMITS = { memoryBytes: 48 * 1024 * 1024, cpus: 0.5, pidsLimit: 33, cpuShares: 512, cpusetCpus: '0' };

test('limits are what the container sees of itself', async () => {
  await using host = await containerHost();
  const v1 = [
    'memory/memory.limit_in_bytes',
    'pids/pids.max',
    'cpu/cpu.cfs_quota_us',
    'cpu/cpu.cfs_period_us',
    'cpu/cpu.shares',
    'cpuset/cpuset.cpus',
  ];
  const v2 = ['memory.max', 'pids.max', 'cpu.max'];
  const names = hostCgroups().version === 1 ? v1 : v2;
  const text = await sh(host, `cd /sys/fs/cgroup; cat ${names.join(' ')}`, { resources: LIMITS });
  const wanted = ['50331648', '33', '50000', '100000', '512', '0'];
  expect(text.trim().split(/\s+/)).toEqual(names === v1 ? wanted : wanted.slice(0, 4));
});

test('the limits hold: a process too many is refused, and too much memory is the end', async () => {
  await using host = await containerHost();
  const forks = await sh(host, 'for i in 1 2 3 4 5 6 7 8 9; do sleep 600 & done; echo no', {
    resources: { pidsLimit: 5 },
  });
  expect(forks).toMatch(/can't fork/);
  const request = host.request({
    process: { args: ['busybox', 'tail', '/dev/zero'] },
    resources: { memoryBytes: 16 * 1024 * 1024 },
  });
  const container = await createDirectSupervisor(host.paths).start(request);
  expect(await container.wait()).toMatchObject({ exitCode: 137, oomKilled: true });
});

test('capabilities are the default ones for root, and none to start with for another user', async () => {
  await using host = await containerHost();
  const sets = async (changes: SpecChanges) =>
    Object.fromEntries(
      [...(await sh(host, 'cat /proc/self/status', changes)).matchAll(/^Cap(\w+):\s+(\w+)$/gm)].map((m) => [
        m[1],
        m[2],
      ]),
    );
  const none = '0'.repeat(16);
  const usual = '00000000a80425fb';
  expect(await sets({})).toEqual({ Inh: none, Prm: usual, Eff: usual, Bnd: usual, Amb: none });
  expect(await sets({ process: { uid: 1000, gid: 1000 } })).toEqual({
    Inh: none,
    Prm: none,
    Eff: none,
    Bnd: usual,
    Amb: none,
  });
  expect(await sets({ security: { capDrop: ['ALL'] } })).toEqual({
    Inh: none,
    Prm: none,
    Eff: none,
    Bnd: none,
    Amb: none,
  });
  const added = await sets({ security: { capDrop: ['ALL'], capAdd: ['chown'] } });
  expect(added).toMatchObject({ Eff: '0000000000000001', Inh: none, Amb: none });
});

test('seccomp filters, unless it is switched off; no-new-privileges holds', async () => {
  await using host = await containerHost();
  const status = (changes: SpecChanges = {}) =>
    sh(host, 'grep -E "Seccomp:|NoNewPrivs" /proc/self/status', changes);
  // Twice: the second start uses the filter that the first one has compiled.
  for (let round = 0; round < 2; round++) expect(await status()).toMatch(/NoNewPrivs:\s0\nSeccomp:\s2/);
  expect(await status({ security: { seccomp: 'unconfined', noNewPrivileges: true } })).toMatch(
    /NoNewPrivs:\s1\nSeccomp:\s0/,
  );
  expect(await status({ security: { noNewPrivileges: true } })).toMatch(/NoNewPrivs:\s1\nSeccomp:\s2/);
});

test('a profile of the user decides, also when another one was compiled before', async () => {
  await using host = await containerHost();
  const profile = join(host.folder, 'profile.json');
  const deny = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 };
  writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [deny] }));
  const script = 'busybox mkdir /tmp/x && echo made';
  for (let round = 0; round < 2; round++) {
    expect(await sh(host, script)).toBe('made\n');
    expect(await sh(host, script, { security: { seccomp: profile } })).toMatch(/not implemented/);
  }
});

test('what Docker masks is masked, and what it protects is read-only', async () => {
  await using host = await containerHost();
  expect(await sh(host, 'cat /proc/keys /proc/timer_list; ls /proc/acpi /sys/firmware')).not.toMatch(
    /[0-9a-f]{8}/,
  );
  expect(await sh(host, 'echo 1 > /proc/sys/kernel/hostname')).toMatch(/Read-only|denied/);
  expect(await sh(host, 'echo x > /proc/sysrq-trigger')).toMatch(/Read-only|denied|nonexistent/);
  const made = await sh(
    host,
    'cd /sys/fs/cgroup; for folder in . *; do busybox mkdir $folder/x && echo made; done',
  );
  expect(made).toContain('Read-only');
  expect(made).not.toContain('made');
  expect(await sh(host, 'echo x > /file', { security: { readOnlyRootfs: true } })).toMatch(/Read-only/);
});

test('/dev is fresh, with the usual nodes and nothing else of the host', async () => {
  await using host = await containerHost();
  const nodes = (await sh(host, 'ls /dev')).trim().split('\n');
  const usual = [
    'core',
    'fd',
    'full',
    'mqueue',
    'null',
    'ptmx',
    'pts',
    'random',
    'shm',
    'stderr',
    'stdin',
    'stdout',
    'tty',
    'urandom',
    'zero',
  ];
  expect(nodes.filter((name) => !usual.includes(name))).toEqual([]);
  expect(nodes).toContain('null');
  expect(await sh(host, 'echo x > /dev/stdout; echo y > /dev/stderr')).toBe('x\ny\n');
  expect(
    await sh(host, 'busybox df -k /dev/shm | busybox tail -1', { resources: { shmSizeBytes: 2 ** 20 } }),
  ).toMatch(/ 1024 /);
});

test('a device is there only when it was given', async () => {
  await using host = await containerHost();
  const device = { hostPath: '/dev/loop-control', containerPath: '/dev/mine', permissions: 'r' };
  const open = ': < /dev/mine && echo readable; : > /dev/mine';
  expect(await sh(host, open, { devices: [device] })).toMatch(/^readable\n.*not permitted\n$/);
  const made = 'busybox mknod /tmp/x c 10 237; : < /tmp/x';
  expect(await sh(host, made)).toMatch(/not permitted/);
});

test('a privileged container has all that the host can give', async () => {
  await using host = await containerHost();
  const request = host.request();
  const { capabilities } = hostFacts(containerSpec());
  const text = await sh(
    host,
    'cat /proc/self/status; ls /dev; touch /proc/sys/kernel/hostname && echo writable',
    { security: { privileged: true } },
  );
  const mask = BigInt(`0x${/^CapEff:\s+(\w+)$/m.exec(text)?.[1]}`);
  expect(mask.toString(2).replaceAll('0', '')).toHaveLength(capabilities.length);
  expect(text).toMatch(/Seccomp:\s0/);
  expect(text).toMatch(/^kmsg$/m);
  expect(text).toContain('writable');
  expect(request.spec.security.privileged).toBe(false);
});

test("mounts: bind, read-only bind with what is below it, tmpfs with Docker's options, init", async () => {
  await using host = await containerHost();
  const source = join(host.folder, 'source');
  mkdirSync(join(source, 'below'), { recursive: true });
  writeFileSync(join(source, 'file'), 'content\n');
  const bind = { kind: 'bind', source, target: '/data', readOnly: false } as const;
  expect(await sh(host, 'cat /data/file; echo new > /data/other', { mounts: [bind] })).toBe('content\n');
  expect(
    await sh(host, 'cat /data/other; echo x > /data/file', { mounts: [{ ...bind, readOnly: true }] }),
  ).toMatch(/^new\n.*Read-only/);
  expect(
    await sh(host, 'grep " /data " /proc/self/mountinfo', { mounts: [{ ...bind, propagation: 'rslave' }] }),
  ).toContain(' /data ');
  const tmpfs = { kind: 'tmpfs', target: '/scratch', options: ['size=64k', 'exec'] } as const;
  const line = await sh(host, 'grep " /scratch " /proc/mounts', { mounts: [tmpfs] });
  expect(line).toMatch(/nosuid,nodev/);
  expect(line).toMatch(/size=64k/);
  expect(line).not.toMatch(/noexec/);
  const withInit = await sh(host, 'cat /proc/1/cmdline; echo $$', { init: '/usr/bin/catatonit' });
  expect(withInit).toMatch(/docker-init.*--.*sh/);
  expect(withInit).not.toMatch(/\n1\n/);
});

test('a read-only bind is read-only below another mount, too', async () => {
  await using host = await containerHost();
  const source = join(host.folder, 'source');
  mkdirSync(join(source, 'below'), { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(source, 'below')]);
  try {
    const bind = { kind: 'bind', source, target: '/data', readOnly: true } as const;
    expect(await sh(host, 'echo x > /data/below/file', { mounts: [bind] })).toMatch(/Read-only/);
    expect(await sh(host, 'echo x > /data/below/file', { mounts: [{ ...bind, readOnly: false }] })).toBe('');
  } finally {
    execFileSync('umount', [join(source, 'below')]);
  }
});

test('user, groups, folder, host name, limits, sysctls and score arrive', async () => {
  await using host = await containerHost();
  expect(
    await sh(host, 'id; busybox pwd', { process: { uid: 7, gid: 8, additionalGids: [8, 99], cwd: '/tmp' } }),
  ).toBe('uid=7 gid=8 groups=8,99\n/tmp\n');
  expect(await sh(host, 'busybox hostname', { hostname: 'web' })).toBe('web\n');
  const rlimits = [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 10_000_000 }];
  const files = await sh(host, 'grep "open files" /proc/self/limits', { process: { rlimits } });
  expect(files).toMatch(/files\s+100\s+\d+/);
  expect(await sh(host, 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start')).toBe('0\n');
  expect(
    await sh(host, 'cat /proc/sys/net/core/somaxconn', { sysctls: { 'net.core.somaxconn': '77' } }),
  ).toBe('77\n');
  expect(await sh(host, 'cat /proc/self/oom_score_adj', { resources: { oomScoreAdj: 321 } })).toBe('321\n');
  expect(await sh(host, 'cd /proc/self/ns; busybox readlink net', { networkNamespace: 'inherited' })).toBe(
    `${readlinkSync('/proc/self/ns/net')}\n`,
  );
});

test('nothing of our environment gets in', async () => {
  await using host = await containerHost();
  process.env['OCITS_TEST_SECRET'] = 'x';
  process.env['LISTEN_FDS'] = '3';
  try {
    const request = host.request({ process: { args: ['cat', '/proc/self/environ'] } });
    const { stdout } = await outcome(await createDirectSupervisor(host.paths).start(request));
    expect(stdout.replaceAll('\0', '\n')).toBe('PATH=/bin\nHOME=/\n');
  } finally {
    delete process.env['OCITS_TEST_SECRET'];
    delete process.env['LISTEN_FDS'];
  }
});
