import { existsSync, readFileSync } from 'node:fs';
import { arch, cpus, hostname, totalmem } from 'node:os';
import type { Access } from '../../access.ts';
import { findProgram } from '../../system/process/programs.ts';

/** Node's words for processors as `uname -m` has them, which Docker shows. */
const MACHINES: Readonly<Record<string, string>> = {
  x64: 'x86_64',
  ia32: 'i686',
  arm64: 'aarch64',
  arm: 'armv7l',
  ppc64: 'ppc64le',
};

/** The processor as `uname -m` names it: `x86_64`, `aarch64`. */
export function machineName(name: string = arch()): string {
  return MACHINES[name] ?? name;
}

/** The release of the running kernel; empty where it is not Linux. */
export function kernelVersion(): string {
  return textOf('/proc/sys/kernel/osrelease');
}

/** The version of crun, which runs containers here. */
export async function runtimeVersion(): Promise<string> {
  const { crunVersion } = await import('../../runtime/crun/crun.ts');
  const crun = findProgram('crun');
  return crun === undefined ? 'not installed' : await crunVersion(crun);
}

/** What `info` shows of the host and of what runs containers there, by Docker's names. */
export async function hostInfo({ isRoot }: Access): Promise<Readonly<Record<string, unknown>>> {
  const { hostCgroups } = await import('../../runtime/launch/host-cgroups.ts');
  const cgroups = hostCgroups();
  const release = osRelease();
  // A mount of cgroup v1 may serve two controllers: `cpu,cpuacct`.
  const controllers = new Set(cgroups.controllers.flatMap((name) => name.split(',')));
  return {
    MemoryLimit: controllers.has('memory'),
    SwapLimit: controllers.has('memory'),
    CpuCfsPeriod: controllers.has('cpu'),
    CpuCfsQuota: controllers.has('cpu'),
    CPUShares: controllers.has('cpu'),
    CPUSet: controllers.has('cpuset'),
    PidsLimit: controllers.has('pids'),
    IPv4Forwarding: textOf('/proc/sys/net/ipv4/ip_forward') === '1',
    SystemTime: new Date().toISOString(),
    LoggingDriver: 'k8s-file',
    CgroupDriver: cgroups.driver,
    CgroupVersion: String(cgroups.version),
    CgroupLayout: cgroups.layout,
    KernelVersion: kernelVersion(),
    OperatingSystem: release['PRETTY_NAME'] ?? 'Linux',
    OSVersion: release['VERSION_ID'] ?? '',
    OSType: process.platform,
    Architecture: machineName(),
    NCPU: cpus().length,
    MemTotal: totalmem(),
    HttpProxy: process.env['http_proxy'] ?? process.env['HTTP_PROXY'],
    HttpsProxy: process.env['https_proxy'] ?? process.env['HTTPS_PROXY'],
    NoProxy: process.env['no_proxy'] ?? process.env['NO_PROXY'],
    Name: hostname(),
    Runtimes: { crun: { path: findProgram('crun') ?? 'crun' } },
    DefaultRuntime: 'crun',
    RuntimeVersion: await runtimeVersion(),
    SecurityOptions: securityOptions(isRoot),
    NodeVersion: process.versions.node,
  };
}

function securityOptions(isRoot: boolean): string[] {
  return [
    'name=seccomp,profile=builtin',
    ...(existsSync('/proc/self/ns/cgroup') ? ['name=cgroupns'] : []),
    ...(isRoot ? [] : ['name=rootless']),
  ];
}

/** os-release(5). */
function osRelease(): Readonly<Record<string, string>> {
  const lines = textOf('/etc/os-release').matchAll(/^(\w+)="?([^"\n]*)/gm);
  return Object.fromEntries(Array.from(lines, ([, name = '', value = '']) => [name, value]));
}

/** Empty where the file cannot be read. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
