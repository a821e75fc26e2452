import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { networkChoice } from '../../src/network/choice.ts';
import { ContainerLab } from '../support/container/container-lab.ts';

let lab: ContainerLab;

beforeAll(async () => {
  lab = await ContainerLab.open();
});

afterAll(async () => await lab[Symbol.asyncDispose]());

/** No container, mount, process, namespace or cgroup of this lab. */
afterEach(async () => {
  expect(await lab.remains()).toEqual([]);
  expect(readFileSync('/proc/self/mountinfo', 'latin1')).not.toContain(lab.folder);
  expect(readdirSync(join(lab.paths.run, 'crun'))).toEqual([]);
});

describe('a container in the foreground', () => {
  test('gives its output and its exit code, and leaves nothing', async () => {
    const result = await lab.run(['sh', '-c', 'echo out; echo err >&2; exit 42']);
    expect(result).toEqual({ stdout: 'out\n', stderr: 'err\n', exitCode: 42 });
  });

  test('has the process that is asked for', async () => {
    const script = 'pwd; id -u; id -G; echo $HOME $A $B; hostname; ulimit -n';
    const output = await lab.sh(script, {
      process: {
        env: ['A=1', 'B=x y'],
        workdir: '/var/www',
        user: 'www-data',
        rlimits: [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }],
      },
      network: { hostname: 'web.example' },
    });
    expect(output.split('\n')).toEqual([
      '/var/www',
      '33',
      '33 50',
      '/var/www 1 x y',
      'web.example',
      '100',
      '',
    ]);
  });

  test('gets a working directory that the image does not have', async () => {
    expect(await lab.sh('pwd; stat -c %u:%a .', { process: { workdir: '/a/b c' } })).toBe('/a/b c\n0:755\n');
  });

  test('has files of ours for names', async () => {
    const output = await lab.sh('cat /etc/hostname; cat /etc/hosts', {
      network: { hostname: 'box', extraHosts: [{ name: 'db', address: '10.0.0.9' }] },
    });
    expect(output).toContain('box\n127.0.0.1\tlocalhost\n');
    expect(output).toContain('10.0.0.9\tdb\n');
  });

  test("shares the host's network where told so", async () => {
    const output = await lab.sh('hostname; cat /proc/net/dev; cat /etc/resolv.conf', {
      network: networkChoice('host'),
    });
    expect(output).toContain(`${hostname()}\n`);
    expect(output).toContain('eth0:');
    expect(output).toContain(await readFile('/etc/resolv.conf', 'utf8'));
  });

  test('may have a read-only root, a tmpfs, and folders of the host', async () => {
    await mkdir(join(lab.folder, 'shared'), { recursive: true });
    await writeFile(join(lab.folder, 'shared/file'), 'of the host');
    const output = await lab.sh(
      'touch /x 2>&1; touch /ro/x 2>&1; cat /rw/file; echo changed > /rw/file; stat -c %a /run; df -k /run | tail -1',
      {
        mounts: [
          {
            kind: 'bind',
            source: join(lab.folder, 'shared'),
            target: '/rw',
            readOnly: false,
            createSource: false,
          },
          {
            kind: 'bind',
            source: join(lab.folder, 'made/anew'),
            target: '/ro',
            readOnly: true,
            createSource: true,
          },
          { kind: 'tmpfs', target: '/run', options: ['size=1m', 'mode=700'] },
        ],
        isolation: { security: { ...secure, readOnlyRootfs: true } },
      },
    );
    expect(output).toMatch(/^touch: \/x: Read-only.*\ntouch: \/ro\/x: Read-only.*\nof the host700\n.* 1024 /);
    expect(await readFile(join(lab.folder, 'shared/file'), 'utf8')).toBe('changed\n');
  });

  test('gets signals from whoever asks, and ends by them', async () => {
    const script = 'trap "echo got it; exit 7" TERM; echo ready; while :; do sleep 0.1; done';
    const result = await lab.run(['sh', '-c', script], {
      onStarted: (container) => void container.stdout!.once('data', () => container.kill('SIGTERM')),
    });
    expect(result.exitCode).toBe(7);
  });

  test.each([
    [['nosuch'], 'not-found', 127],
    [['/etc/passwd'], 'not-executable', 126],
    [['/bin'], 'not-executable', 126],
  ])('that cannot be started (%s) says why, and leaves nothing', async (command, code, exitCode) => {
    await expect(lab.run(command, { network: networkChoice('bridge') })).rejects.toMatchObject({
      code,
      exitCode,
    });
  });

  test('that is interrupted before its start leaves nothing', async () => {
    const controller = new AbortController();
    const run = lab.run(['sleep', '60'], { network: networkChoice('bridge'), signal: controller.signal });
    setTimeout(() => controller.abort(new Error('interrupted')), 25);
    await expect(run).rejects.toThrow('interrupted');
  });

  test('runs beside others', async () => {
    const runs = Array.from({ length: 5 }, (_, index) =>
      lab.sh(`hostname -i; echo ${index}`, { network: networkChoice('bridge') }),
    );
    const outputs = await Promise.all(runs);
    expect(new Set(outputs.map((output) => output.split('\n')[0])).size).toBe(5);
  });
});

describe('on the bridge', () => {
  test('a container has an address and a name for it, and its published port answers', async () => {
    const script = 'mkdir /www; hostname -i > /www/index.html; httpd -p 80 -h /www; cat /etc/hosts; sleep 60';
    let page = '';
    const result = await lab.run(['sh', '-c', script], {
      network: {
        ...networkChoice('bridge'),
        hostname: 'web',
        ports: [{ hostIp: '0.0.0.0', hostPort: 0, containerPort: 80, protocol: 'tcp' }],
        extraHosts: [{ name: 'host.docker.internal', address: 'host-gateway' }],
      },
      onStarted: (container, { id }) =>
        void container.stdout!.once('data', async () => {
          const sandbox = (await (await lab.engine.network()).find(id))!;
          page = execFileSync('curl', [
            '-s',
            `http://127.0.0.1:${sandbox.endpoints[0]!.ports[0]!.hostPort}/`,
          ]).toString();
          await container.kill('KILL');
        }),
    });
    expect(page).toMatch(/^10\.\d+\.\d+\.\d+\n$|^172\.|^192\.168\./);
    expect(result.stdout).toContain(`\n${page.trim()}\tweb\n`);
    expect(result.stdout).toMatch(/\n[\d.]+\.0\.1\thost\.docker\.internal\n/);
    expect(result.exitCode).toBe(137);
  });
});

const secure = {
  privileged: false,
  capAdd: [],
  capDrop: [],
  noNewPrivileges: false,
  seccomp: 'default',
  readOnlyRootfs: false,
};
