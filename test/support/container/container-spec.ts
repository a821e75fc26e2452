import type { ContainerSpec, ProcessSpec } from '../../../src/bundle/container-spec.ts';
import type { HostFacts } from '../../../src/bundle/host-facts.ts';

export type SpecChanges = Partial<Omit<ContainerSpec, 'process' | 'security'>> & {
  readonly process?: Partial<ProcessSpec>;
  readonly security?: Partial<ContainerSpec['security']>;
};

/** The spec of a plain container without a network, with changes. */
export function containerSpec(changes: SpecChanges = {}): ContainerSpec {
  const { process, security, ...rest } = changes;
  const id = rest.id ?? 'test';
  return {
    id,
    rootfs: '/containers/test/rootfs',
    mounts: [],
    etcFiles: [],
    resources: {},
    devices: [],
    networkNamespace: 'new',
    cgroupsPath: `/ocits/${id}`,
    sysctls: {},
    annotations: {},
    ...rest,
    process: {
      args: ['sh'],
      env: ['PATH=/bin'],
      cwd: '/',
      terminal: false,
      uid: 0,
      gid: 0,
      additionalGids: [],
      rlimits: [],
      ...process,
    },
    security: {
      privileged: false,
      capAdd: [],
      capDrop: [],
      noNewPrivileges: false,
      seccomp: 'default',
      readOnlyRootfs: false,
      ...security,
    },
  };
}

/** A host that is the same on every machine, for golden files. */
export function plainHost(changes: Partial<HostFacts> = {}): HostFacts {
  return {
    architecture: 'amd64',
    capabilities: ['CAP_CHOWN', 'CAP_KILL', 'CAP_SETUID', 'CAP_NET_ADMIN', 'CAP_SYS_ADMIN'],
    hardLimits: { RLIMIT_NOFILE: 20_000 },
    canRaiseLimits: false,
    cgroupVersion: 2,
    kernelRelease: '6.12.3-amd64',
    countsSwap: true,
    processors: 4,
    thermalFolders: ['/sys/devices/system/cpu/cpu0/thermal_throttle'],
    devices: [],
    ...changes,
  };
}
