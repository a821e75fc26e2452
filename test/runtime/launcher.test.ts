import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { hostCgroups } from '../../src/runtime/launch/host-cgroups.ts';
import { LAUNCH_FAILED_CODE, type LaunchPlan, launchCommand } from '../../src/runtime/launch/launcher.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'ocits-launch-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const name of ['lower one', 'upper', 'work', 'target']) mkdirSync(join(path, name));
  writeFileSync(join(path, 'lower one', 'file'), 'content\n');
  return path;
}

async function launch(plan: LaunchPlan) {
  const { program, args } = await launchCommand(plan);
  const { stdout, stderr, status } = spawnSync(program, args, { encoding: 'utf8' });
  return { stdout, stderr, status };
}

test('an overlay with lower directories relative to its folder is there inside, and not on the host', async () => {
  const base = folder();
  const options = ['lowerdir=lower one', 'upperdir=upper', 'workdir=work'];
  const mounts = [{ type: 'overlay', source: 'overlay', options, folder: base }];
  const target = join(base, 'target');
  const script = 'cat "$1/file"; echo new > "$1/new"; pwd';
  const result = await launch({
    rootfs: { mounts, target },
    program: 'sh',
    args: ['-c', script, 'sh', target],
  });
  expect(result).toEqual({ stdout: 'content\n/\n', stderr: '', status: 0 });
  expect(existsSync(join(target, 'file'))).toBe(false);
  expect(readFileSync(join(base, 'upper/new'), 'utf8')).toBe('new\n');
});

test('mounts are made in their order, each at its own target, and a bind can be read-only', async () => {
  const base = folder();
  const target = join(base, 'target');
  const mounts = [
    { type: 'tmpfs', source: 'tmpfs', options: [], target },
    { type: 'bind', source: join(base, 'lower one'), options: ['ro'] },
  ];
  const script = 'cat "$1/file"; echo x > "$1/file"';
  const result = await launch({
    rootfs: { mounts, target },
    program: 'sh',
    args: ['-c', script, 'sh', target],
  });
  expect(result.stdout).toBe('content\n');
  expect(result.stderr).toContain('Read-only');
});

test('names are data, whatever a shell would make of them', async () => {
  const base = folder();
  const name = `-o $(touch ${base}/pwned) \`id\` "' ; * \n é`;
  const source = join(base, name);
  const target = join(base, `${name}target`);
  for (const path of [source, target]) mkdirSync(path, { recursive: true });
  writeFileSync(join(source, 'file'), 'data\n');
  const mounts = [{ type: 'bind', source, options: [] }];
  const args = ['-c', 'cat -- "$1/file"; printf %s "$2"', 'sh', target, '$HOME *'];
  expect(await launch({ rootfs: { mounts, target }, program: '/bin/sh', args })).toEqual({
    stdout: 'data\n$HOME *',
    stderr: '',
    status: 0,
  });
  expect(existsSync(join(base, 'pwned'))).toBe(false);
});

test('a mount that fails ends it before the program starts, and says why in the file', async () => {
  const base = folder();
  const errorFile = join(base, 'errors');
  const target = join(base, 'target');
  const mounts = [{ type: 'overlay', source: 'overlay', options: ['lowerdir=/nowhere'] }];
  const plan = { rootfs: { mounts, target }, program: 'echo', args: ['started'] };
  expect(await launch({ ...plan, errorFile })).toEqual({
    stdout: '',
    stderr: '',
    status: LAUNCH_FAILED_CODE,
  });
  expect(readFileSync(errorFile, 'utf8')).toContain('mount: ');
  expect((await launch(plan)).stderr).toContain('mount: ');
});

test("the program has its code, its standard error and no descriptor of the launcher's", async () => {
  const base = folder();
  const args = ['-c', 'ls -l /proc/self/fd; echo err >&2; exit 7'];
  const { stdout, stderr, status } = await launch({ program: 'sh', args, errorFile: join(base, 'errors') });
  expect([stderr, status]).toEqual(['err\n', 7]);
  expect(stdout).not.toMatch(/ 9 ->/);
  expect(stdout).not.toContain('errors');
});

test('what crun must not see of hybrid cgroups is hidden inside, and stays on the host', async () => {
  const { hiddenMount } = hostCgroups();
  const { stdout } = await launch({ program: 'cat', args: ['/proc/self/mountinfo'] });
  expect(stdout).not.toContain('/sys/fs/cgroup/unified');
  if (hiddenMount !== undefined) expect(readFileSync('/proc/self/mountinfo', 'utf8')).toContain(hiddenMount);
});

test('the namespace follows what a shared host unmounts', async () => {
  const base = folder();
  const target = join(base, 'target');
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', target]);
  execFileSync('mount', ['--make-shared', target]);
  mkdirSync(join(target, 'inner'));
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(target, 'inner')]);
  try {
    const { program, args } = await launchCommand({
      program: 'sh',
      args: ['-c', 'read go; cat /proc/self/mountinfo'],
    });
    const wrapper = `{ sleep 0.2; umount "$0/inner"; echo; } | "$@"`;
    const result = spawnSync('sh', ['-c', wrapper, target, program, ...args], { encoding: 'utf8' });
    expect(result.stdout).toContain(target);
    expect(result.stdout).not.toContain(`${target}/inner`);
  } finally {
    execFileSync('umount', ['-R', target]);
  }
});

test('a program that the host lacks is an error with its package', async () => {
  await expect(launchCommand({ program: 'no-such-program', args: [] })).rejects.toMatchObject({
    code: 'missing-program',
  });
});
