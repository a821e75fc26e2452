import { posix } from 'node:path';
import { OcitsError } from '../errors.ts';
import type { ContainerMount, ContainerSpec } from './container-spec.ts';
import type { HostFacts } from './host-facts.ts';
import type { RuntimeMount } from './runtime-spec.ts';

const GUARDED: readonly string[] = ['nosuid', 'noexec', 'nodev'];
const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;

/**
 * What is mounted over the image's files in every container and build step, relative to its root, whatever the image has under these
 * names: it needs plain folders and files there.
 */
export const MOUNT_TARGETS = [
  { path: 'dev', type: 'directory' },
  { path: 'proc', type: 'directory' },
  { path: 'sys', type: 'directory' },
  { path: 'etc/hosts', type: 'file' },
  { path: 'etc/hostname', type: 'file' },
  { path: 'etc/resolv.conf', type: 'file' },
] as const;

/** The same for a container, with what Docker puts there besides: Java and others ask it for what is mounted. */
export const CONTAINER_TARGETS = [
  ...MOUNT_TARGETS,
  { path: 'etc/mtab', type: 'symlink', target: '/proc/mounts' },
] as const;

/** Where the init program is bound, as in Docker. */
export const INIT_TARGET = '/sbin/docker-init';

/**
 * All mounts of a container, parents before children: Docker's own ones, the files that we bind over the image's,
 * the init program, then the user's. A user's mount replaces a default one of the same target, and one on `/dev`,
 * `/sys` or `/proc` all below it. Throws `invalid-argument` for a target that is `/`, not absolute, or used twice,
 * and `unsupported` for a propagation to the host.
 */
export function containerMounts(
  spec: ContainerSpec,
  { cgroupVersion }: Pick<HostFacts, 'cgroupVersion'>,
): readonly RuntimeMount[] {
  const own = spec.mounts.map((mount) => userMount(mount));
  const targets = own.map((mount) => mount.destination);
  const twice = targets.find((target, index) => targets.indexOf(target) !== index);
  if (twice !== undefined) {
    throw new OcitsError('invalid-argument', `two mounts have the same target ${JSON.stringify(twice)}`);
  }
  const covered = (target: string) =>
    targets.some((mine) => target === mine || (isSystemFolder(mine) && target.startsWith(`${mine}/`)));
  const defaults = [...systemMounts(spec), ...cgroupMounts(spec, cgroupVersion), ...fileMounts(spec)].filter(
    (mount) => !covered(mount.destination),
  );
  return [...defaults, ...own].sort((a, b) => depth(a.destination) - depth(b.destination));
}

function systemMounts({ resources, security }: ContainerSpec): readonly RuntimeMount[] {
  const access = security.privileged ? 'rw' : 'ro';
  // A tmpfs of size 0 would have no bound.
  const shmBytes = resources.shmSizeBytes || DEFAULT_SHM_BYTES;
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: GUARDED },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...GUARDED, access] },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    {
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: [...GUARDED, 'mode=1777', `size=${shmBytes}`],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: GUARDED },
  ];
}

function cgroupMounts({ security }: ContainerSpec, version: 1 | 2): readonly RuntimeMount[] {
  const destination = '/sys/fs/cgroup';
  const access = security.privileged ? 'rw' : 'ro';
  const cgroups = {
    destination,
    type: 'cgroup',
    source: 'cgroup',
    options: [...GUARDED, 'relatime', access],
  };
  if (version === 2 || security.privileged) return [cgroups];
  // For cgroups of version 1, crun mounts each hierarchy as it is told, but leaves the tmpfs around them writable.
  const folder = { destination, type: 'tmpfs', source: 'tmpfs', options: ['remount', ...GUARDED, 'ro'] };
  return [cgroups, folder];
}

function fileMounts({ etcFiles, init, security }: ContainerSpec): readonly RuntimeMount[] {
  const access = security.readOnlyRootfs ? 'ro' : 'rw';
  const files = etcFiles.map(({ source, target }) => bind(source, target, ['bind', 'rprivate', access]));
  return init === undefined ? files : [...files, bind(init, INIT_TARGET, ['bind', 'rprivate', 'ro'])];
}

function userMount(mount: ContainerMount): RuntimeMount {
  const target = normalTarget(mount.target);
  if (mount.kind === 'tmpfs') {
    return { destination: target, type: 'tmpfs', source: 'tmpfs', options: tmpfsOptions(mount.options) };
  }
  const recursive = mount.kind === 'volume' || mount.recursive !== false;
  const propagation = mount.kind === 'bind' ? propagationOf(mount.propagation, recursive) : 'rprivate';
  // `rro` makes what is mounted below the source read-only too; `ro` alone would leave that writable.
  const readOnly = recursive ? ['ro', 'rro'] : ['ro'];
  return bind(mount.source, target, [
    recursive ? 'rbind' : 'bind',
    propagation,
    ...(mount.readOnly ? readOnly : ['rw']),
  ]);
}

function propagationOf(propagation: string | undefined, recursive: boolean): string {
  if (propagation === undefined || propagation === '') return recursive ? 'rprivate' : 'private';
  if (propagation === 'shared' || propagation === 'rshared') {
    throw new OcitsError('unsupported', `the bind propagation ${propagation} is not supported`, {
      hint: 'use rslave: mounts that the host makes later become visible in the container',
    });
  }
  if (!['private', 'rprivate', 'slave', 'rslave'].includes(propagation)) {
    throw new OcitsError('invalid-argument', `${JSON.stringify(propagation)} is no bind propagation`);
  }
  return propagation;
}

/** Docker's three guards. Each is switched off by its opposite. */
function tmpfsOptions(options: readonly string[]): readonly string[] {
  const opposite: Readonly<Record<string, string>> = { noexec: 'exec', nosuid: 'suid', nodev: 'dev' };
  const guards = Object.keys(opposite).filter(
    (guard) => !options.includes(opposite[guard]!) && !options.includes(guard),
  );
  return [...guards, 'rprivate', ...options];
}

function bind(source: string, destination: string, options: readonly string[]): RuntimeMount {
  return { destination, type: 'bind', source, options };
}

function normalTarget(target: string): string {
  if (!target.startsWith('/') || target.includes('\0')) {
    throw new OcitsError(
      'invalid-argument',
      `the mount target ${JSON.stringify(target)} is not an absolute path`,
    );
  }
  const clean = posix.resolve(target);
  if (clean !== '/') return clean;
  throw new OcitsError('invalid-argument', 'nothing can be mounted on / of a container');
}

function isSystemFolder(target: string): boolean {
  return target === '/dev' || target === '/sys' || target === '/proc';
}

function depth(destination: string): number {
  return destination.split('/').length;
}
