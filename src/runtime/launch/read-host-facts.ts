import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { ALL_CAPABILITIES } from '../../bundle/capabilities.ts';
import type { ContainerSpec } from '../../bundle/container-spec.ts';
import type { DeviceNode, HostFacts } from '../../bundle/host-facts.ts';
import { isErrno, OcitsError } from '../../errors.ts';
import { hostPlatform } from '../../oci/platform.ts';
import { hostCgroups } from './host-cgroups.ts';

/**
 * What the `config.json` of this container needs to know of the host. Throws `not-found` for a seccomp profile that is
 * named and not there.
 */
export function hostFacts(spec: Pick<ContainerSpec, 'security' | 'devices' | 'resources'>): HostFacts {
  const capabilities = ownCapabilities(readFileSync('/proc/self/status', 'latin1'));
  const { version } = hostCgroups();
  return {
    architecture: hostPlatform().architecture,
    capabilities,
    hardLimits: hardLimits(readFileSync('/proc/self/limits', 'latin1')),
    canRaiseLimits: capabilities.includes('CAP_SYS_RESOURCE'),
    cgroupVersion: version,
    countsSwap: version === 2 || exists('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes'),
    processors: spec.resources.cpus === undefined ? undefined : cpus().length,
    kernelRelease: release(),
    thermalFolders: thermalFolders('/sys/devices/system/cpu'),
    seccompProfile: seccompText(spec.security),
    devices: spec.security.privileged
      ? allDevices('/dev')
      : spec.devices.flatMap(({ hostPath }) => device(hostPath)),
  };
}

/** The capabilities that a process can hand on: permitted, and not outside its bounding set. Pure. */
export function ownCapabilities(status: string): readonly string[] {
  const set = (name: string) =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  const usable = set('CapPrm') & set('CapBnd');
  return ALL_CAPABILITIES.filter((_name, bit) => ((usable >> BigInt(bit)) & 1n) === 1n);
}

const LIMIT_NAMES: Readonly<Record<string, string>> = {
  'Max cpu time': 'RLIMIT_CPU',
  'Max file size': 'RLIMIT_FSIZE',
  'Max data size': 'RLIMIT_DATA',
  'Max stack size': 'RLIMIT_STACK',
  'Max core file size': 'RLIMIT_CORE',
  'Max resident set': 'RLIMIT_RSS',
  'Max processes': 'RLIMIT_NPROC',
  'Max open files': 'RLIMIT_NOFILE',
  'Max locked memory': 'RLIMIT_MEMLOCK',
  'Max address space': 'RLIMIT_AS',
  'Max file locks': 'RLIMIT_LOCKS',
  'Max pending signals': 'RLIMIT_SIGPENDING',
  'Max msgqueue size': 'RLIMIT_MSGQUEUE',
  'Max nice priority': 'RLIMIT_NICE',
  'Max realtime priority': 'RLIMIT_RTPRIO',
  'Max realtime timeout': 'RLIMIT_RTTIME',
};

/** The hard limits in a text of /proc/PID/limits. Pure. */
export function hardLimits(limits: string): Readonly<Record<string, number>> {
  const entries = limits.split('\n').flatMap((line): [string, number][] => {
    const [, label = '', hard = ''] = /^(Max .*?)\s{2,}\S+\s+(\S+)/.exec(line) ?? [];
    const name = LIMIT_NAMES[label];
    return name === undefined ? [] : [[name, hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard)]];
  });
  return Object.fromEntries(entries);
}

/** The folders `thermal_throttle` of all processors below the folder; processors of one host are alike. */
export function thermalFolders(folder: string): readonly string[] {
  if (!exists(join(folder, 'cpu0/thermal_throttle'))) return [];
  const processors = readdirSync(folder).filter((name) => /^cpu\d+$/.test(name));
  return processors.map((name) => join(folder, name, 'thermal_throttle')).sort();
}

function seccompText({ privileged, seccomp }: ContainerSpec['security']): string | undefined {
  if (privileged || seccomp === 'unconfined' || seccomp === 'default') return undefined;
  try {
    return readFileSync(seccomp, 'utf8');
  } catch (error) {
    throw new OcitsError('not-found', `the seccomp profile ${seccomp} cannot be read`, { cause: error });
  }
}

/** The node that `path` names, through symlinks; all nodes below a folder. */
function device(path: string): readonly DeviceNode[] {
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) return allDevices(path);
    if (!stats.isCharacterDevice() && !stats.isBlockDevice()) return [];
    const major = Number(((BigInt(stats.rdev) >> 8n) & 0xfffn) | ((BigInt(stats.rdev) >> 32n) & ~0xfffn));
    const minor = Number((BigInt(stats.rdev) & 0xffn) | ((BigInt(stats.rdev) >> 12n) & 0xffffff00n));
    const type = stats.isBlockDevice() ? 'b' : 'c';
    return [{ path, type, major, minor, mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid }];
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** What the runtime mounts or makes afresh in a container's /dev. */
const NOT_TAKEN: ReadonlySet<string> = new Set(
  ['pts', 'shm', 'mqueue', 'fd', 'console', 'ptmx', 'null', 'zero', 'full', 'random', 'urandom', 'tty'].map(
    (name) => `/dev/${name}`,
  ),
);

function allDevices(folder: string): readonly DeviceNode[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (NOT_TAKEN.has(path)) return [];
    // One that was there a moment ago: a partition, a terminal.
    const stats = lstatSync(path, { throwIfNoEntry: false });
    return stats === undefined || stats.isSymbolicLink() ? [] : device(path);
  });
}

function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}
