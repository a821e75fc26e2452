import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  cgroupMounts,
  cgroupsPath,
  describeCgroups,
  hostCgroups,
} from '../../src/runtime/launch/host-cgroups.ts';

const V2 = '31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate';
const V1 = [
  '31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755',
  '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory',
  '39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids',
  '90 31 0:36 / /somewhere/else rw,relatime - cgroup cgroup rw,pids',
];
const UNIFIED = '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw';

function described(lines: readonly string[], driver: 'systemd' | 'cgroupfs' = 'systemd') {
  return describeCgroups(cgroupMounts(lines.join('\n')), driver, ['cpu', 'memory']);
}

test('one mount of version 2 is the unified layout, which systemd may run', () => {
  expect(described([V2])).toEqual({
    layout: 'v2',
    version: 2,
    driver: 'systemd',
    controllers: ['cpu', 'memory'],
  });
  expect(described([V2], 'cgroupfs')).toMatchObject({ driver: 'cgroupfs' });
});

test('version 1 alone, and with version 2 beside it, which crun must not see', () => {
  const v1 = { version: 1, driver: 'cgroupfs', controllers: ['memory', 'pids'] };
  expect(described(V1)).toEqual({ layout: 'v1', ...v1 });
  expect(described([...V1, UNIFIED])).toEqual({
    layout: 'hybrid',
    ...v1,
    hiddenMount: '/sys/fs/cgroup/unified',
  });
});

test('a host without cgroups', () => {
  expect(described(['1 2 0:1 / / rw - ext4 /dev/root rw'])).toMatchObject({ layout: 'none' });
});

test('this host is described as its mounts are', () => {
  const { layout, hiddenMount } = hostCgroups();
  expect(layout).not.toBe('none');
  if (hiddenMount !== undefined) expect(readFileSync('/proc/self/mountinfo', 'utf8')).toContain(hiddenMount);
});

test('a path is in the form of its driver', () => {
  expect(cgroupsPath('abc', 'cgroupfs')).toBe('/ocits/abc');
  expect(cgroupsPath('abc', 'systemd')).toBe('system.slice:ocits:abc');
});
