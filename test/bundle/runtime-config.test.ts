import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import { expect, test } from 'vitest';
import { ALL_CAPABILITIES } from '../../src/bundle/capabilities.ts';
import { defaultSeccomp } from '../../src/bundle/default-seccomp.ts';
import { runtimeConfig } from '../../src/bundle/runtime-config.ts';
import { serializeConfig } from '../../src/bundle/serialize.ts';
import { containerSpec, plainHost, type SpecChanges } from '../support/container/container-spec.ts';

const GOLDEN = join(import.meta.dirname, '../../testdata/bundle');
const SCHEMAS = '/usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema';
/** A profile small enough to be read in a golden file. */
const SMALL_PROFILE = JSON.stringify({
  defaultAction: 'SCMP_ACT_ERRNO',
  defaultErrnoRet: 38,
  archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] }],
  syscalls: [{ names: ['read', 'write'], action: 'SCMP_ACT_ALLOW', args: [], includes: {}, excludes: {} }],
});
const DEVICE = { path: '/dev/fuse', type: 'c', major: 10, minor: 229, mode: 0o666, uid: 0, gid: 0 } as const;

const CASES: Readonly<Record<string, SpecChanges>> = {
  plain: {},
  'non-root-user': {
    hostname: 'web',
    process: { uid: 1000, gid: 1001, additionalGids: [1001, 27], cwd: '/home/me', terminal: true },
    networkNamespace: { path: '/run/ocits/netns/test' },
  },
  privileged: { security: { privileged: true }, networkNamespace: 'inherited' },
  limits: {
    resources: {
      memoryBytes: 64 * 1024 * 1024,
      memoryReservationBytes: 32 * 1024 * 1024,
      cpus: 1.5,
      cpuShares: 512,
      cpusetCpus: '0-1',
      cpusetMems: '0',
      pidsLimit: 50,
      shmSizeBytes: 1024 * 1024,
      oomScoreAdj: 500,
    },
    process: {
      rlimits: [
        { type: 'RLIMIT_NOFILE', soft: 1024, hard: 1_048_576 },
        { type: 'RLIMIT_CORE', soft: -1, hard: -1 },
      ],
    },
  },
  mounts: {
    init: '/usr/bin/catatonit',
    security: { readOnlyRootfs: true, noNewPrivileges: true, capAdd: ['net_admin'], capDrop: ['CAP_KILL'] },
    etcFiles: [{ source: '/containers/test/hosts', target: '/etc/hosts' }],
    mounts: [
      { kind: 'bind', source: '/srv', target: '/data/deep/', readOnly: true },
      {
        kind: 'volume',
        name: 'v',
        source: '/volumes/v/data',
        target: '/data',
        readOnly: false,
        anonymous: false,
      },
      { kind: 'tmpfs', target: '/dev/shm', options: ['size=1m', 'exec'] },
      { kind: 'bind', source: '/mnt', target: '/mnt', readOnly: false, propagation: 'rslave' },
    ],
    devices: [{ hostPath: '/dev/fuse', containerPath: '/dev/fuse', permissions: 'rw' }],
    sysctls: { 'net.core.somaxconn': '1024' },
    annotations: { 'com.example.a': 'b' },
  },
};

// Made by: UPDATE_GOLDEN=1 vitest run test/bundle/runtime-config.test.ts
test.each(Object.entries(CASES))('the config of %s is the golden one', (name, changes) => {
  const host = plainHost({ seccompProfile: SMALL_PROFILE, devices: [DEVICE] });
  const config = runtimeConfig(containerSpec(changes), host);
  const text = `${JSON.stringify(JSON.parse(serializeConfig(config)), null, 2)}\n`;
  const path = join(GOLDEN, `${name}.json`);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, text);
  expect(text).toBe(readFileSync(path, 'utf8'));
});

test.each(Object.entries(CASES))(
  'the config of %s is valid against the schema of the runtime spec',
  (_name, changes) => {
    const host = plainHost({ capabilities: ALL_CAPABILITIES, devices: [DEVICE] });
    const config: unknown = JSON.parse(serializeConfig(runtimeConfig(containerSpec(changes), host)));
    const validate = runtimeSchema();
    validate(config);
    expect(validate.errors ?? []).toEqual([]);
  },
);

test('seccomp: a profile that was given, else the default one, and none where it is switched off', () => {
  const seccomp = (changes: SpecChanges, seccompProfile?: string) =>
    runtimeConfig(containerSpec(changes), plainHost({ seccompProfile })).linux.seccomp;
  expect(seccomp({}, SMALL_PROFILE)?.syscalls).toHaveLength(1);
  const { architecture, capabilities: _, kernelRelease } = plainHost();
  const capabilities = ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETUID'];
  expect(seccomp({})).toEqual(defaultSeccomp({ architecture, capabilities, kernelRelease }));
  expect(seccomp({ security: { seccomp: 'unconfined' } })).toBeUndefined();
  expect(seccomp({ security: { privileged: true } })).toBeUndefined();
});

test('the schema refuses what is no config', () => {
  const config = JSON.parse(serializeConfig(runtimeConfig(containerSpec(), plainHost())));
  expect(runtimeSchema()({ ...config, mounts: [{ destination: 7 }] })).toBe(false);
});

test('an unlimited resource is the largest number of 64 bits', () => {
  const spec = containerSpec({ process: { rlimits: [{ type: 'RLIMIT_CORE', soft: 0, hard: -1 }] } });
  expect(serializeConfig(runtimeConfig(spec, plainHost()))).toContain('"hard":18446744073709551615');
});

test('a limit above our own is cut to it, unless we may raise it', () => {
  const spec = containerSpec({
    process: { rlimits: [{ type: 'RLIMIT_NOFILE', soft: 30_000, hard: 40_000 }] },
  });
  const limits = (canRaiseLimits: boolean) =>
    runtimeConfig(spec, plainHost({ canRaiseLimits })).process.rlimits;
  expect(limits(false)).toEqual([{ type: 'RLIMIT_NOFILE', soft: 20_000, hard: 20_000 }]);
  expect(limits(true)).toEqual([{ type: 'RLIMIT_NOFILE', soft: 30_000, hard: 40_000 }]);
});

test.each<[string, SpecChanges, string]>([
  ['two mounts of one target', { mounts: [tmpfs('/a'), tmpfs('/a/')] }, 'same target "/a"'],
  ['a mount on /', { mounts: [tmpfs('/x/..')] }, 'on / of a container'],
  ['a relative target', { mounts: [tmpfs('a')] }, 'not an absolute path'],
  ['a shared bind', { mounts: [bind('rshared')] }, 'rshared is not supported'],
  ['a made-up propagation', { mounts: [bind('wild')] }, '"wild" is no bind propagation'],
  ['a device that is not there', { devices: [device('/dev/nope')] }, '/dev/nope'],
  ['too little memory', { resources: { memoryBytes: 1024 } }, 'least that is allowed is 6m'],
  ['swap below memory', { resources: { memoryBytes: 2 ** 24, memorySwapBytes: 2 ** 23 } }, '--memory-swap'],
  ['swap without memory', { resources: { memorySwapBytes: 2 ** 23 } }, '--memory-swap needs --memory'],
  [
    'too little reserved memory',
    { resources: { memoryReservationBytes: 1024 } },
    '--memory-reservation 1024: the least',
  ],
  ['fewer shares than none', { resources: { cpuShares: -1 } }, '--cpu-shares -1'],
  ['too little processor', { resources: { cpus: 0.001 } }, '--cpus 0.001'],
  ['more processors than there are', { resources: { cpus: 4.5 } }, '--cpus 4.5: this host has 4'],
  [
    'a network sysctl of the host',
    { networkNamespace: 'inherited', sysctls: { 'net.a': '1' } },
    '--sysctl net.a',
  ],
  ['an annotation of the runtime', { annotations: { 'run.oci.handler': 'krun' } }, 'run.oci.handler'],
  ['an unknown limit', { process: { rlimits: [{ type: 'RLIMIT_X', soft: 1, hard: 1 }] } }, '--ulimit x'],
  [
    'a soft limit above the hard one',
    { process: { rlimits: [{ type: 'RLIMIT_CPU', soft: 2, hard: 1 }] } },
    'soft limit 2',
  ],
])('%s is refused', (_name, changes, message) => {
  expect(() => runtimeConfig(containerSpec(changes), plainHost())).toThrow(message);
});

test('0 is no limit, as in Docker, and the default for /dev/shm', () => {
  const zero = {
    memoryBytes: 0,
    memoryReservationBytes: 0,
    memorySwapBytes: 0,
    cpus: 0,
    cpuShares: 0,
    pidsLimit: 0,
  };
  const { linux, mounts } = runtimeConfig(
    containerSpec({ resources: { ...zero, shmSizeBytes: 0 } }),
    plainHost(),
  );
  const { memory, cpu, pids } = linux.resources;
  expect({ memory, cpu, pids }).toEqual({});
  const shm = mounts.find(({ destination }) => destination === '/dev/shm');
  expect(shm?.options).toContain(`size=${64 * 1024 * 1024}`);
  const unlimitedSwap = containerSpec({ resources: { memorySwapBytes: -1 } });
  expect(runtimeConfig(unlimitedSwap, plainHost()).linux.resources.memory).toBeUndefined();
});

test('memory and swap together are twice the memory, and left alone where the kernel does not count swap', () => {
  const spec = containerSpec({ resources: { memoryBytes: 2 ** 24 } });
  const memory = (countsSwap: boolean) =>
    runtimeConfig(spec, plainHost({ countsSwap })).linux.resources.memory;
  expect(memory(true)).toEqual({ limit: 2 ** 24, swap: 2 ** 25 });
  expect(memory(false)).toEqual({ limit: 2 ** 24 });
});

test('a folder of devices gives all below it', () => {
  const devices = ['/dev/snd/a', '/dev/snd/by/b', '/dev/sndx'].map((path, minor) => ({
    ...DEVICE,
    path,
    minor,
  }));
  const mapping = { hostPath: '/dev/snd', containerPath: '/dev/sound', permissions: 'r' };
  const { linux } = runtimeConfig(containerSpec({ devices: [mapping] }), plainHost({ devices }));
  expect(linux.devices!.map(({ path }) => path)).toEqual(['/dev/sound/a', '/dev/sound/by/b']);
  expect(linux.resources.devices.at(-1)).toEqual({
    allow: true,
    type: 'c',
    major: 10,
    minor: 1,
    access: 'r',
  });
});

test('a mount of the user on /dev takes the place of all that is mounted there', () => {
  const { mounts } = runtimeConfig(containerSpec({ mounts: [tmpfs('/dev')] }), plainHost());
  expect(
    mounts.filter(({ destination }) => destination.startsWith('/dev')).map(({ source }) => source),
  ).toEqual(['tmpfs']);
});

function tmpfs(target: string) {
  return { kind: 'tmpfs', target, options: [] } as const;
}

function bind(propagation: string) {
  return { kind: 'bind', source: '/srv', target: '/srv', readOnly: false, propagation } as const;
}

function device(hostPath: string) {
  return { hostPath, containerPath: hostPath, permissions: 'rwm' };
}

function runtimeSchema() {
  const ajv = new Ajv.default({ strict: false, logger: false });
  const named = readdirSync(SCHEMAS).filter((name) => /^(?:defs|config-(?!schema))/.test(name));
  for (const name of named) ajv.addSchema(schema(name), name);
  return ajv.compile(schema('config-schema.json'));
}

/** The files name each other relative to an ID that resolves nowhere, and use draft 4's spelling of it. */
function schema(name: string): Record<string, unknown> {
  const { $schema: _, id: _id, ...rest } = JSON.parse(readFileSync(join(SCHEMAS, name), 'utf8'));
  return { $id: name, ...rest };
}
