import { readFileSync } from 'node:fs';
import { runsSystemd } from '../../system/process/own-scope.ts';

const MOUNT_POINT = '/sys/fs/cgroup';

/** How the host's cgroups are laid out, and what follows for crun. */
export interface HostCgroups {
  readonly layout: 'v2' | 'v1' | 'hybrid' | 'none';
  /** The version that limits are set with. */
  readonly version: 1 | 2;
  /**
   * On a hybrid host the mount that crun must not see: with it gone crun takes the host as plain v1 and sets limits
   * there; with it, crun refuses to start.
   */
  readonly hiddenMount?: string | undefined;
  /** `systemd` where systemd runs the host's only hierarchy and expects to own it; else `cgroupfs`. */
  readonly driver: 'systemd' | 'cgroupfs';
  /** v1: the mount points by controller; v2: what the root offers. */
  readonly controllers: readonly string[];
}

interface CgroupMount {
  readonly target: string;
  readonly type: 'cgroup' | 'cgroup2';
  readonly options: readonly string[];
}

/** Reads the facts from /proc and /sys. Throws nothing: a host without cgroups has the layout `none`. */
export function hostCgroups(): HostCgroups {
  const mounts = cgroupMounts(readFileSync('/proc/self/mountinfo', 'latin1'));
  const driver = runsSystemd() ? 'systemd' : 'cgroupfs';
  return describeCgroups(mounts, driver, rootControllers(mounts));
}

/** The same from given facts. Pure. */
export function describeCgroups(
  mounts: readonly CgroupMount[],
  driver: HostCgroups['driver'],
  unifiedControllers: readonly string[],
): HostCgroups {
  const unified = mounts.find((mount) => mount.type === 'cgroup2');
  const legacy = mounts.filter((mount) => mount.type === 'cgroup');
  if (unified?.target === MOUNT_POINT) {
    return { layout: 'v2', version: 2, driver, controllers: unifiedControllers };
  }
  if (legacy.length === 0) return { layout: 'none', version: 1, driver: 'cgroupfs', controllers: [] };
  const controllers = legacy.map((mount) => mount.target.slice(mount.target.lastIndexOf('/') + 1));
  // systemd's own driver needs v2: on v1 crun would ask it for what it does not delegate.
  const base = { version: 1, driver: 'cgroupfs', controllers } as const;
  return unified === undefined
    ? { layout: 'v1', ...base }
    : { layout: 'hybrid', ...base, hiddenMount: unified.target };
}

/** The cgroup mounts below /sys/fs/cgroup in a text of /proc/PID/mountinfo, proc(5). Pure. */
export function cgroupMounts(mountinfo: string): readonly CgroupMount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const target = before.split(' ')[4] ?? '';
    const [type = '', , options = ''] = after.split(' ');
    if (type !== 'cgroup' && type !== 'cgroup2') return [];
    if (target !== MOUNT_POINT && !target.startsWith(`${MOUNT_POINT}/`)) return [];
    return [{ target, type, options: options.split(',') }];
  });
}

/** A container's cgroup by the driver's rules: a path, or `slice:prefix:name` for systemd. */
export function cgroupsPath(id: string, driver: HostCgroups['driver'] = hostCgroups().driver): string {
  return driver === 'systemd' ? `system.slice:ocits:${id}` : `/ocits/${id}`;
}

/** The folders that the cgroups of a container have, in each hierarchy of the host; they need not be there. */
export function cgroupFolders(id: string): readonly string[] {
  const names = [`ocits/${id}`, `system.slice/ocits-${id}.scope`];
  const mounts = cgroupMounts(readFileSync('/proc/self/mountinfo', 'latin1'));
  return mounts.flatMap(({ target }) => names.map((name) => `${target}/${name}`));
}

function rootControllers(mounts: readonly CgroupMount[]): readonly string[] {
  if (!mounts.some((mount) => mount.type === 'cgroup2' && mount.target === MOUNT_POINT)) return [];
  return readFileSync(`${MOUNT_POINT}/cgroup.controllers`, 'latin1').trim().split(' ');
}
