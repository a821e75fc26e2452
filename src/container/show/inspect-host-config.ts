import type { ContainerMount } from '../../bundle/container-spec.ts';
import { MASKED_PATHS, READONLY_PATHS } from '../../bundle/guarded-paths.ts';
import { networkModeOf } from '../../network/choice.ts';
import type { ContainerRecord } from '../record/record.ts';
import { portBindings } from './inspect-parts.ts';

/** Docker's unit for processors. */
const NANO_CPUS = 1e9;

/** `HostConfig` of `docker inspect`: what was asked of the host. What is not there is empty. */
export function hostConfig(record: ContainerRecord): Readonly<Record<string, unknown>> {
  const { network, lifetime, isolation, process, mounts } = record;
  const { resources, security, devices } = isolation;
  return {
    Binds: nullIfEmpty(mounts.flatMap(bindText)),
    ContainerIDFile: '',
    LogConfig: { Type: 'k8s-file', Config: {} },
    NetworkMode: networkModeOf(network),
    PortBindings: portBindings([], network.ports),
    PublishAllPorts: network.publishAll,
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    AutoRemove: lifetime.autoRemove,
    VolumeDriver: '',
    VolumesFrom: null,
    ConsoleSize: [0, 0],
    CapAdd: nullIfEmpty(security.capAdd),
    CapDrop: nullIfEmpty(security.capDrop),
    CgroupnsMode: 'private',
    Dns: network.dns.servers,
    DnsOptions: network.dns.options,
    DnsSearch: network.dns.search,
    ExtraHosts: nullIfEmpty(network.extraHosts.map(({ name, address }) => `${name}:${address}`)),
    IpcMode: 'private',
    PidMode: '',
    OomScoreAdj: resources.oomScoreAdj ?? 0,
    Privileged: security.privileged,
    ReadonlyRootfs: security.readOnlyRootfs,
    SecurityOpt: nullIfEmpty(securityOptions(record)),
    Tmpfs: Object.fromEntries(
      mounts.flatMap((mount) => (mount.kind === 'tmpfs' ? [[mount.target, mount.options.join(',')]] : [])),
    ),
    UTSMode: '',
    UsernsMode: '',
    ShmSize: resources.shmSizeBytes || 64 * 1024 * 1024,
    Sysctls: isolation.sysctls,
    Runtime: 'crun',
    CpuShares: resources.cpuShares ?? 0,
    Memory: resources.memoryBytes ?? 0,
    NanoCpus: Math.round((resources.cpus ?? 0) * NANO_CPUS),
    CpusetCpus: resources.cpusetCpus ?? '',
    CpusetMems: resources.cpusetMems ?? '',
    Devices: devices.map(({ hostPath, containerPath, permissions }) => ({
      PathOnHost: hostPath,
      PathInContainer: containerPath,
      CgroupPermissions: permissions,
    })),
    MemoryReservation: resources.memoryReservationBytes ?? 0,
    MemorySwap: resources.memorySwapBytes ?? 0,
    PidsLimit: resources.pidsLimit ?? null,
    Ulimits: process.rlimits.map(({ type, soft, hard }) => ({
      Name: type.replace(/^RLIMIT_/, '').toLowerCase(),
      Soft: soft,
      Hard: hard,
    })),
    MaskedPaths: security.privileged ? null : MASKED_PATHS,
    ReadonlyPaths: security.privileged ? null : READONLY_PATHS,
    Init: isolation.init ? true : null,
  };
}

function securityOptions({ isolation: { security } }: ContainerRecord): string[] {
  return [
    ...(security.noNewPrivileges ? ['no-new-privileges'] : []),
    ...(security.seccomp === 'default' ? [] : [`seccomp=${security.seccomp}`]),
  ];
}

function bindText(mount: ContainerMount): string[] {
  if (mount.kind === 'tmpfs' || (mount.kind === 'volume' && mount.anonymous)) return [];
  const source = mount.kind === 'bind' ? mount.source : mount.name;
  return [`${source}:${mount.target}${mount.readOnly ? ':ro' : ''}`];
}

function nullIfEmpty<T>(list: readonly T[]): readonly T[] | null {
  return list.length === 0 ? null : list;
}
