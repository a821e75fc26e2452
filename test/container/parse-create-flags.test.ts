import { describe, expect, test } from 'vitest';
import type { CreateFlags } from '../../src/container/flags/create-flags.ts';
import { parseEnvFile, parseEnvFlag } from '../../src/container/flags/env-file.ts';
import { parseCreateFlags } from '../../src/container/flags/parse-create-flags.ts';
import { networkChoice } from '../../src/network/choice.ts';
import { parseReference } from '../../src/oci/reference.ts';

const files: Readonly<Record<string, string>> = {
  'a.env': '\ufeff# comment\n\nA=1\nC\nNONE\r\nD="quoted"\r\n',
  'bad.env': 'A=1\nB C=2\n',
  labels: '# comment\na=b\nc\n',
};

function parse(flags: CreateFlags, ...command: string[]) {
  return parseCreateFlags(flags, ['busybox', ...command], {
    folder: '/home/me',
    env: { C: 'from host', HOME: '/root' },
    readFile: (path) => files[path]!,
  });
}

describe('the flags of create and run', () => {
  test('say nothing where they are not given', () => {
    expect(parse({})).toEqual({
      image: { text: 'busybox', reference: parseReference('busybox:latest') },
      labels: {},
      annotations: {},
      process: { command: [], env: [], terminal: false, openStdin: false, rlimits: [] },
      network: {
        ...networkChoice('bridge'),
        ports: [],
        exposed: [],
        publishAll: false,
        dns: { servers: [], search: [], options: [] },
        extraHosts: [],
      },
      mounts: [],
      isolation: {
        resources: {},
        devices: [],
        security: {
          privileged: false,
          capAdd: [],
          capDrop: [],
          readOnlyRootfs: false,
          noNewPrivileges: false,
          seccomp: 'default',
        },
        sysctls: {},
        init: false,
      },
      autoRemove: false,
    });
  });

  test('make the process', () => {
    const { process } = parse(
      {
        entrypoint: '',
        env: ['A=2', 'C', 'UNSET'],
        'env-file': ['a.env'],
        workdir: '/w',
        user: '5:6',
        tty: true,
        interactive: true,
        'stop-signal': 'usr1',
        'stop-timeout': '3',
        ulimit: ['nofile=10:20', 'core=-1'],
      },
      'ls',
      '-l',
    );
    expect(process).toEqual({
      entrypoint: [],
      command: ['ls', '-l'],
      env: ['A=1', 'C=from host', 'D="quoted"', 'A=2', 'C=from host', 'UNSET'],
      workdir: '/w',
      user: '5:6',
      terminal: true,
      openStdin: true,
      stopSignal: 'usr1',
      stopTimeoutSeconds: 3,
      rlimits: [
        { type: 'RLIMIT_NOFILE', soft: 10, hard: 20 },
        { type: 'RLIMIT_CORE', soft: -1, hard: -1 },
      ],
    });
    expect(parse({ entrypoint: '/bin/x' }).process.entrypoint).toEqual(['/bin/x']);
  });

  test('make limits, security and labels', () => {
    const { isolation, labels, annotations, autoRemove } = parse({
      memory: '512m',
      'memory-swap': '-1',
      cpus: '1.5',
      'pids-limit': '100',
      'shm-size': '1g',
      'cap-add': ['NET_ADMIN'],
      'cap-drop': ['ALL'],
      'security-opt': ['no-new-privileges', 'seccomp=my.json', 'label:disable'],
      device: ['/dev/fuse:/dev/x:r'],
      sysctl: ['net.core.somaxconn=5'],
      privileged: true,
      'read-only': true,
      init: true,
      label: ['a=c', 'd'],
      'label-file': ['labels'],
      annotation: ['x=y=z'],
      rm: true,
    });
    expect(isolation).toEqual({
      resources: {
        memoryBytes: 512 * 1024 * 1024,
        memorySwapBytes: -1,
        cpus: 1.5,
        pidsLimit: 100,
        shmSizeBytes: 1024 ** 3,
      },
      devices: [{ hostPath: '/dev/fuse', containerPath: '/dev/x', permissions: 'r' }],
      security: {
        privileged: true,
        capAdd: ['NET_ADMIN'],
        capDrop: ['ALL'],
        noNewPrivileges: true,
        seccomp: '/home/me/my.json',
        readOnlyRootfs: true,
      },
      sysctls: { 'net.core.somaxconn': '5' },
      init: true,
    });
    expect(labels).toEqual({ a: 'c', c: '', d: '' });
    expect(annotations).toEqual({ x: 'y=z' });
    expect(autoRemove).toBe(true);
  });

  test('make networks and mounts', () => {
    const { network, mounts } = parse({
      network: 'host',
      hostname: 'web',
      publish: ['80:80'],
      expose: ['90-91'],
      dns: ['9.9.9.9'],
      'dns-search': ['x.org'],
      'add-host': ['db:10.0.0.1'],
      volume: ['./data:/data'],
      mount: ['type=tmpfs,dst=/t'],
      tmpfs: ['/run'],
    });
    expect(network).toMatchObject({
      ...networkChoice('host'),
      hostname: 'web',
      exposed: ['90/tcp', '91/tcp'],
    });
    expect(network.dns).toEqual({ servers: ['9.9.9.9'], search: ['x.org'], options: [] });
    expect(mounts.map(({ kind, target }) => `${kind} ${target}`)).toEqual([
      'bind /data',
      'tmpfs /t',
      'tmpfs /run',
    ]);
  });

  test.each<[CreateFlags, string]>([
    [{ network: 'mine' }, '--network mine'],
    [{ network: 'container:web' }, '--network container:web'],
    [{ network: 'name=mine' }, '--network mine'],
    [{ network: 'name=none,alias=x' }, '--network name=none,alias=x: alias is not there yet'],
    [{ sysctl: ['net.core.somaxconn'] }, '--sysctl: "net.core.somaxconn" is not'],
    [{ sysctl: ['kernel.hostname=x'] }, '--sysctl: "kernel.hostname=x" is not'],
    [{ sysctl: ['vm.swappiness=1'] }, '--sysctl: "vm.swappiness=1" is not'],
    [{ 'oom-score-adj': '1001' }, '--oom-score-adj: "1001" is not'],
    [{ 'cpuset-cpus': '1-' }, '--cpuset-cpus: "1-" is not'],
    [{ 'cpuset-mems': 'a' }, '--cpuset-mems: "a" is not'],
    [{ hostname: 'a b' }, '--hostname: "a b"'],
    [{ hostname: 'x'.repeat(65) }, 'is not a host name'],
    [{ dns: ['dns.example'] }, '--dns: "dns.example"'],
    [{ memory: 'much' }, '--memory: "much" is not a size'],
    [{ cpus: '-1' }, '--cpus: "-1" is not a number'],
    [{ 'pids-limit': '1.5' }, '--pids-limit: "1.5" is not a whole number'],
    [{ ulimit: ['nofile'] }, '--ulimit: "nofile"'],
    [{ device: ['fuse'] }, '--device: "fuse"'],
    [{ 'stop-signal': 'HALT' }, '"HALT" is no signal'],
    [{ 'security-opt': ['no-new-privileges=maybe'] }, 'no-new-privileges is true or false, not "maybe"'],
    [{ 'security-opt': ['apparmor=mine'] }, '--security-opt apparmor=mine is not there yet'],
    [{ env: ['=x'] }, '--env: "=x" has no name'],
    [{ label: ['=x'] }, '--label: "=x" has no name'],
    [{ platform: 'a/b/c/d' }, '"a/b/c/d"'],
    [{ 'env-file': ['bad.env'] }, '"B C" cannot be the name'],
  ])('%j is refused', (flags, message) => expect(() => parse(flags)).toThrow(message));
});

test('an empty value is none where Docker takes it so', () => {
  const empty = { name: '', hostname: '', network: '', platform: '', 'stop-signal': '', entrypoint: '' };
  const {
    process: { entrypoint, ...process },
    ...rest
  } = parse(empty);
  const {
    process: { entrypoint: unset, ...plain },
    ...others
  } = parse({});
  expect({ process, ...rest }).toEqual({ process: plain, ...others });
  // An entrypoint is taken away by it.
  expect([entrypoint, unset]).toEqual([[], undefined]);
});

test('a fault in an env file has its line', () => {
  expect(() => parseEnvFile('A=1\nB C=2\n', 'x.env', {})).toThrow(
    expect.objectContaining({ location: { file: 'x.env', line: 2 } }),
  );
  expect(parseEnvFlag('A', { A: 'x y' })).toBe('A=x y');
});

test.each([
  ['no-new-privileges', true],
  ['no-new-privileges=1', true],
  ['no-new-privileges:true', true],
  ['no-new-privileges=0', false],
  ['no-new-privileges=F', false],
])('--security-opt %s is a boolean as any other', (option, expected) => {
  const { security } = parse({ 'security-opt': ['no-new-privileges', option] }).isolation;
  expect(security.noNewPrivileges).toBe(expected);
});
