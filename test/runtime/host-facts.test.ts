import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ALL_CAPABILITIES } from '../../src/bundle/capabilities.ts';
import {
  hardLimits,
  hostFacts,
  ownCapabilities,
  thermalFolders,
} from '../../src/runtime/launch/read-host-facts.ts';
import { containerSpec } from '../support/container/container-spec.ts';

test('capabilities are those that are permitted and not outside the bounding set', () => {
  expect(ownCapabilities('CapPrm:\t000001ffffffffff\nCapBnd:\t0000000000000021\n')).toEqual([
    'CAP_CHOWN',
    'CAP_KILL',
  ]);
  expect(ownCapabilities('CapPrm:\t0000000000000001\nCapBnd:\t000001ffffffffff\n')).toEqual(['CAP_CHOWN']);
  expect(ownCapabilities('CapPrm:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n')).toEqual(ALL_CAPABILITIES);
  expect(ownCapabilities('')).toEqual([]);
});

test('hard limits are read by their names', () => {
  const text = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max open files            1024                 20000                files     ',
    'Max cpu time              unlimited            unlimited            seconds   ',
    'Max nice priority         0                    0                    ',
  ].join('\n');
  expect(hardLimits(text)).toEqual({
    RLIMIT_NOFILE: 20_000,
    RLIMIT_CPU: Number.POSITIVE_INFINITY,
    RLIMIT_NICE: 0,
  });
});

test('devices are found by their nodes, through folders, and all of them for a privileged container', () => {
  const device = (hostPath: string) => ({ hostPath, containerPath: hostPath, permissions: 'r' });
  const spec = containerSpec({ devices: [device('/dev/null'), device('/dev/nope'), device('/etc/passwd')] });
  expect(hostFacts(spec).devices).toEqual([
    expect.objectContaining({ path: '/dev/null', type: 'c', major: 1, minor: 3, mode: 0o666 }),
  ]);
  const paths = hostFacts(containerSpec({ security: { privileged: true } })).devices.map(({ path }) => path);
  expect(paths).toContain('/dev/kmsg');
  expect(paths).not.toContain('/dev/console');
});

test('folders that count how often processors were too hot are found for all processors', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ocits-cpus-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ['cpu0', 'cpu1', 'cpufreq']) mkdirSync(join(folder, name));
  expect(thermalFolders(folder)).toEqual([]);
  for (const name of ['cpu0', 'cpu1']) mkdirSync(join(folder, name, 'thermal_throttle'));
  expect(thermalFolders(folder)).toEqual([
    join(folder, 'cpu0/thermal_throttle'),
    join(folder, 'cpu1/thermal_throttle'),
  ]);
  expect(thermalFolders(join(folder, 'none'))).toEqual([]);
});

test("the kernel's release is the running one", () => {
  expect(readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()).toBe(
    hostFacts(containerSpec()).kernelRelease,
  );
});

test('processors are counted where some are asked for', () => {
  expect(hostFacts(containerSpec({ resources: { cpus: 1 } })).processors).toBe(cpus().length);
  expect(hostFacts(containerSpec()).processors).toBeUndefined();
});

test('a profile is read where one is named; one that is not there is an error that names it', () => {
  expect(hostFacts(containerSpec()).seccompProfile).toBeUndefined();
  expect(hostFacts(containerSpec({ security: { seccomp: '/proc/version' } })).seccompProfile).toContain(
    'Linux',
  );
  expect(hostFacts(containerSpec({ security: { seccomp: 'unconfined' } })).seccompProfile).toBeUndefined();
  expect(() => hostFacts(containerSpec({ security: { seccomp: '/nope.json' } }))).toThrow('/nope.json');
});
