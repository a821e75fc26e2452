import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HostileWorld } from '../support/hostile/hostile-world.ts';
import { staticProgram } from '../support/hostile/static-program.ts';

let world: HostileWorld;
let image: string;

beforeAll(async () => {
  world = await HostileWorld.open();
  image = await world.image([
    [{ path: 'system-calls', content: await staticProgram('system-calls'), mode: 0o755 }],
  ]);
  await world.ocits.ok('pull', '-q', image);
});
afterAll(async () => await world[Symbol.asyncDispose]());

const WORKS = 0;
const EPERM = 1;
const ENOSYS = 38;

/** What the program says of each call: its error number. A build's lines begin with a step's number and time. */
function verdicts(output: string): Readonly<Record<string, number>> {
  const lines = output.matchAll(/^(?:#\d+ [\d.]+ )?([a-z]\S*) (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, name, error]) => [name, Number(error)]));
}

function callsThatEnd(found: Readonly<Record<string, number>>, error: number): string[] {
  return Object.keys(found).filter((name) => found[name] === error);
}

const MAKES_SOCKETS = ['socket:unix', 'socket:inet'];
const SAFE = ['clone', 'thread', ...MAKES_SOCKETS, 'personality:query', 'personality:linux32'];
const ABSENT = ['clone3', 'socket:caif', 'socket:46', 'unknown'];
/** Made as programs of 32 bits make them. */
const SAFE32 = process.arch === 'x64' ? ['x86:socket:inet', 'x86:socketcall:inet'] : [];
const ABSENT32 = process.arch === 'x64' ? ['x86:clone3'] : [];

test('run, exec and RUN: what is not needed is refused, new calls do not exist, and the rest works', async () => {
  const id = await world.detached(image);
  const outputs = [
    (await world.run(image, '/system-calls')).stdout,
    await world.ocits.ok('exec', id, '/system-calls'),
    (await world.build(image, ['RUN /system-calls'])).stderr,
    (await world.run(image, '/system-calls', '-u', '1234')).stdout,
    (await world.run(image, '/system-calls', '--security-opt', 'no-new-privileges')).stdout,
  ];
  await world.ocits.ok('rm', '-f', id);
  for (const output of outputs) {
    const found = verdicts(output);
    const works = [...SAFE, ...SAFE32];
    const absent = [...ABSENT, ...ABSENT32];
    expect(callsThatEnd(found, WORKS).toSorted()).toEqual(works.toSorted());
    expect(callsThatEnd(found, ENOSYS).toSorted()).toEqual(absent.toSorted());
    const others = Object.keys(found).filter((name) => !works.includes(name) && !absent.includes(name));
    expect(callsThatEnd(found, EPERM)).toEqual(others);
    expect(others.length).toBeGreaterThan(40);
  }
});

test('CAP_SYS_ADMIN brings what Docker gives with it, and no more', async () => {
  const found = verdicts((await world.run(image, '/system-calls', '--cap-add', 'SYS_ADMIN')).stdout);
  const allowed = [
    'unshare:uts',
    'unshare:files',
    'clone3',
    'fsconfig',
    'mount_setattr',
    'open_tree',
    'setns',
  ];
  for (const name of allowed) expect([EPERM, ENOSYS], name).not.toContain(found[name]);
  const refused = [
    'keyctl',
    'mbind',
    'socket:alg',
    'socket:vsock',
    'io_uring_setup',
    'pivot_root',
    'userfaultfd',
  ];
  for (const name of refused) expect(found[name], name).toBe(EPERM);
});

test('another capability brings its own calls', async () => {
  const flags = ['--cap-add', 'SYS_NICE', '--cap-add', 'SYS_PTRACE'];
  const found = verdicts((await world.run(image, '/system-calls', ...flags)).stdout);
  for (const name of ['get_mempolicy', 'mbind', 'set_mempolicy', 'pidfd_getfd', 'process_madvise'])
    expect(found[name], name).not.toBe(EPERM);
  for (const name of ['unshare:user', 'clone:user', 'setns']) expect(found[name], name).toBe(EPERM);
});

test("a profile of one's own decides as before, and none leaves all to the kernel", async () => {
  const own = join(import.meta.dirname, '../../testdata/hostile/refuse-add-key.json');
  const given = verdicts(
    (await world.run(image, '/system-calls', '--security-opt', `seccomp=${own}`)).stdout,
  );
  expect(given).toMatchObject({ 'unshare:files': WORKS, add_key: EPERM });
  const flag = ['--security-opt', 'seccomp=unconfined'];
  const free = verdicts((await world.run(image, '/system-calls', ...flag)).stdout);
  expect(free).toMatchObject({ 'unshare:files': WORKS, 'personality:no-randomize': WORKS });
});

test('a container does not lift its own limits', async () => {
  const limits = ['--pids-limit', '50', '-m', '64m', '--cpus', '0.5'];
  const id = await world.detached(image, ...limits);
  const pid = (await world.ocits.ok('inspect', '-f', '{{.State.Pid}}', id)).trim();
  const before = limitsOf(pid);
  expect(before).toContain('50');
  const attempt = await world.ocits.ok('exec', id, '/system-calls', 'escape');
  expect(attempt).toMatch(/^unshare: Operation not permitted$/m);
  expect(attempt).toMatch(/^mount cgroup /m);
  expect(attempt).toMatch(/^mount cgroup2 /m);
  expect(attempt).not.toMatch(/written/);
  const tool = await world.ocits.run(['exec', id, 'unshare', '-U', 'true']);
  expect(tool).toMatchObject({ code: 1, stderr: expect.stringContaining('Operation not permitted') });
  expect(limitsOf(pid)).toEqual(before);
  await world.ocits.ok('rm', '-f', id);
});

/** Limits of a process's cgroups, read on the host, in version 1 and 2. */
function limitsOf(pid: string): readonly string[] {
  const files = {
    pids: ['pids.max'],
    memory: ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'],
    cpu: ['cpu.cfs_quota_us'],
    '': ['pids.max', 'memory.max', 'memory.swap.max', 'cpu.max'],
  };
  const groups = [...readFileSync(`/proc/${pid}/cgroup`, 'utf8').matchAll(/^\d+:([^:]*):(.*)$/gm)];
  return Object.entries(files).flatMap(([controller, names]) => {
    const [, , path] = groups.find(([, list]) => list!.split(',').includes(controller)) ?? [];
    return path === undefined
      ? []
      : names.flatMap((name) => readIfThere(join('/sys/fs/cgroup', controller, path, name)));
  });
}

function readIfThere(path: string): readonly string[] {
  try {
    return [readFileSync(path, 'utf8').trim()];
  } catch {
    return [];
  }
}
