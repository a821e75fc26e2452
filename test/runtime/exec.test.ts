import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ProcessSpec } from '../../src/bundle/container-spec.ts';
import { isOcitsError } from '../../src/errors.ts';
import { createConmonSupervisor } from '../../src/runtime/conmon/conmon-supervisor.ts';
import { execProcess } from '../../src/runtime/exec/exec-process.ts';
import type { ExecRequest } from '../../src/runtime/exec/exec-request.ts';
import { hostCgroups } from '../../src/runtime/launch/host-cgroups.ts';
import type { StartRequest } from '../../src/runtime/supervisor.ts';
import { type ContainerHost, containerHost } from '../support/container/container-host.ts';
import type { SpecChanges } from '../support/container/container-spec.ts';

const PIPES = { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' } as const;
const NONE = { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' } as const;

async function sleeper(host: ContainerHost, changes: SpecChanges = {}): Promise<StartRequest> {
  const request = host.request({ ...changes, process: { args: ['sleep', '600'] } }, { stdio: NONE });
  await createConmonSupervisor(host.paths).start(request);
  return request;
}

function execIn(
  target: StartRequest,
  process: Partial<ProcessSpec>,
  more: Partial<ExecRequest> = {},
): ExecRequest {
  const { folder, spec } = target;
  return {
    containerId: spec.id,
    folder,
    security: spec.security,
    process: { ...spec.process, ...process },
    stdio: PIPES,
    ...more,
  };
}

async function run(host: ContainerHost, request: ExecRequest, input = '') {
  const child = await execProcess(host.paths, request);
  child.stdin?.end(input);
  const read = async (stream: AsyncIterable<unknown> | undefined) => {
    let text = '';
    for await (const chunk of stream ?? []) text += String(chunk);
    return text;
  };
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr)]);
  return { stdout, stderr, exitCode: await child.wait() };
}

test("another process has its streams, its user, its folder and its code, and the container's bounds", async () => {
  await using host = await containerHost();
  const target = await sleeper(host, {
    security: { capDrop: ['ALL'], capAdd: ['chown'] },
    resources: { pidsLimit: 20 },
  });
  expect(
    await run(host, execIn(target, { args: ['sh', '-c', 'cat; echo err >&2; exit 7'] }), 'in\n'),
  ).toEqual({
    stdout: 'in\n',
    stderr: 'err\n',
    exitCode: 7,
  });
  const user = { uid: 5, gid: 6, additionalGids: [6, 7], cwd: '/tmp', env: ['PATH=/bin', 'A=b'] };
  const who = await run(host, execIn(target, { ...user, args: ['sh', '-c', 'id; echo $PWD $A'] }));
  expect(who.stdout).toBe('uid=5 gid=6 groups=6,7\n/tmp b\n');
  const status = await run(
    host,
    execIn(target, { args: ['grep', '-E', 'Cap|Seccomp:', '/proc/self/status'] }),
  );
  expect(status.stdout).toMatch(
    /CapInh:\s0+\nCapPrm:\s0+1\nCapEff:\s0+1\nCapBnd:\s0+1\nCapAmb:\s0+\nSeccomp:\s2/,
  );
  const limit = hostCgroups().version === 1 ? 'pids/pids.max' : 'pids.max';
  const bounds = await run(
    host,
    execIn(target, { args: ['cat', `/sys/fs/cgroup/${limit}`, '/proc/1/cmdline'] }),
  );
  expect(bounds.stdout).toBe('20\nsleep\u0000600\u0000');
  expect(readdirSync(target.folder).filter((name) => name.startsWith('.exec'))).toEqual([]);
});

test('a signal ends it with 128 and its number', async () => {
  await using host = await containerHost();
  const target = await sleeper(host);
  const child = await execProcess(host.paths, execIn(target, { args: ['sleep', '60'] }));
  await child.kill('TERM');
  expect(await child.wait()).toBe(143);
  await child.kill('TERM');
});

test.each([
  ['nosuch', 'not-found', 127],
  ['/etc', 'not-executable', 126],
  ['/etc/plain', 'not-executable', 126],
  ['garbage', 'not-executable', 126],
  ['lost', 'not-found', 127],
])('the command %s fails as Docker does', async (command, code, exitCode) => {
  await using host = await containerHost();
  const target = await sleeper(host);
  const error = await run(host, execIn(target, { args: [command] })).catch((reason: unknown) => reason);
  if (!isOcitsError(error)) throw error;
  expect([error.code, error.exitCode]).toEqual([code, exitCode]);
  expect(readdirSync(target.folder).filter((name) => name.startsWith('.exec'))).toEqual([]);
});

test('a command that ends with 1, 126 or 255 by itself is no failure of ours', async () => {
  await using host = await containerHost();
  const target = await sleeper(host);
  for (const code of [1, 126, 255]) {
    expect((await run(host, execIn(target, { args: ['sh', '-c', `exit ${code}`] }))).exitCode).toBe(code);
  }
});

test('a detached one is left to itself', async () => {
  await using host = await containerHost();
  const target = await sleeper(host);
  const script = 'echo done > /tmp/part; mv /tmp/part /tmp/done; sleep 600';
  const child = await execProcess(
    host.paths,
    execIn(target, { args: ['sh', '-c', script] }, { detach: true, stdio: NONE }),
  );
  expect(await child.wait()).toBe(0);
  const waited = await run(
    host,
    execIn(target, { args: ['sh', '-c', 'while ! cat /tmp/done; do sleep 0.05; done 2>/dev/null'] }),
  );
  expect(waited.stdout).toBe('done\n');
});

test('a terminal without one of ours', async () => {
  await using host = await containerHost();
  const target = await sleeper(host);
  const process = {
    args: ['sh', '-c', 'stty size; test -t 1 && echo tty; exit 5'],
    terminal: true,
    consoleSize: { rows: 20, columns: 50 },
  };
  const stdio = { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' } as const;
  expect(await run(host, execIn(target, process, { stdio }))).toEqual({
    stdout: '20 50\r\ntty\r\n',
    stderr: '',
    exitCode: 5,
  });
});

test('a folder below /proc, and a container that does not run, are refused', async () => {
  await using host = await containerHost();
  const target = await sleeper(host);
  await expect(run(host, execIn(target, { args: ['ls'], cwd: '/proc/self/fd/5' }))).rejects.toThrow(
    'below /proc',
  );
  await expect(run(host, { ...execIn(target, { args: ['ls'] }), containerId: 'nope' })).rejects.toThrow(
    'nope',
  );
});

test("the host's /dev/null stays the host's, whoever the process is", async () => {
  await using host = await containerHost();
  mkdirSync(join(host.paths.root, 'partial'), { recursive: true });
  const target = await sleeper(host);
  const before = statSync('/dev/null');
  try {
    for (const script of [
      'true',
      'chmod 600 /proc/self/fd/0',
      'chmod 600 /proc/self/fd/1; test -c /proc/self/fd/1',
    ]) {
      const request = execIn(target, { args: ['sh', '-c', script], uid: 1234, gid: 1234 }, { stdio: NONE });
      expect((await run(host, request)).exitCode).toBe(0);
    }
    const { uid, gid, mode } = statSync('/dev/null');
    expect({ uid, gid, mode }).toEqual({ uid: before.uid, gid: before.gid, mode: before.mode });
  } finally {
    chownSync('/dev/null', before.uid, before.gid);
    chmodSync('/dev/null', before.mode & 0o7777);
  }
});
