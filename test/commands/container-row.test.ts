import { expect, test } from 'vitest';
import { containerRow, statusText } from '../../src/commands/inspect/container-row.ts';
import { portsText } from '../../src/commands/inspect/ports-text.ts';
import type { ContainerRecord } from '../../src/container/record/record.ts';

const any = { hostIp: '0.0.0.0', protocol: 'tcp' } as const;
const now = new Date('2026-01-02T03:04:05Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const base = { pid: 0, exitCode: 0, oomKilled: false };

test('ports are ranges where they are the same on the host or only exposed, as in Docker', () => {
  const ports = [
    { ...any, hostPort: 8001, containerPort: 81 },
    { ...any, hostPort: 8000, containerPort: 80 },
    { ...any, hostPort: 9001, containerPort: 9001 },
    { ...any, hostPort: 9000, containerPort: 9000 },
    { hostIp: '127.0.0.1', protocol: 'udp', hostPort: 53, containerPort: 53 } as const,
    { hostIp: '::', protocol: 'tcp', hostPort: 9000, containerPort: 9000 } as const,
  ];
  expect(portsText(ports, ['80/tcp', '443/tcp', '444/tcp', '53/udp'])).toBe(
    [
      ...['127.0.0.1:53->53/udp', '443-444/tcp', '0.0.0.0:9000-9001->9000-9001/tcp', '[::]:9000->9000/tcp'],
      ...['0.0.0.0:8000->80/tcp', '0.0.0.0:8001->81/tcp'],
    ].join(', '),
  );
  const apart = [1, 3, 4].map((port) => ({ ...any, hostPort: port, containerPort: port }));
  expect(portsText(apart, [])).toBe('0.0.0.0:1->1/tcp, 0.0.0.0:3-4->3-4/tcp');
  expect(portsText([], [])).toBe('');
});

test('states are in words', () => {
  expect(statusText({ ...base, status: 'created' }, now)).toBe('Created');
  expect(statusText({ ...base, status: 'running', startedAt: ago(180) }, now)).toBe('Up 3 minutes');
  expect(statusText({ ...base, status: 'exited', exitCode: 137, finishedAt: ago(5) }, now)).toBe(
    'Exited (137) 5 seconds ago',
  );
  expect(statusText({ ...base, status: 'exited', exitCode: 255 }, now)).toBe('Exited (255)');
});

const record = {
  id: 'a'.repeat(64),
  name: 'web',
  createdAt: '2026-01-02T03:00:00.123Z',
  image: {
    name: `me/app:1@sha256:${'b'.repeat(64)}`,
    manifest: { platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
  },
  process: { args: ['sh', '-c', 'echo hi'] },
  network: { endpoints: [{ network: 'bridge' }], exposed: [] },
  mounts: [
    { kind: 'bind', source: '/a/long/path/of/the/host' },
    { kind: 'volume', name: 'data' },
    { kind: 'tmpfs', target: '/t' },
  ],
  labels: { z: '1', a: '2' },
} as unknown as ContainerRecord;

test('a row has Docker’s values', () => {
  const addresses = [{ network: 'bridge', address: '10.89.0.2' }];
  const summary = { record, state: { ...base, status: 'created' }, ports: [], addresses } as const;
  const row = (noTrunc: boolean, size?: { writtenBytes: number; totalBytes: number }) =>
    JSON.parse(JSON.stringify(containerRow(summary, { noTrunc, size, now })));
  expect(row(false)).toMatchObject({
    ID: 'a'.repeat(12),
    Image: 'me/app:1',
    Command: '"sh -c \'echo hi\'"',
    CreatedAt: expect.stringMatching(/^2026-01-0\d \d\d:\d\d:00 [+-]\d{4} \S+$/),
    RunningFor: '4 minutes ago',
    Size: '0B',
    Labels: 'a=2,z=1',
    Mounts: '/a/long/path/o…,data',
    LocalVolumes: '1',
    Platform: { os: 'linux', architecture: 'arm64' },
    HealthStatus: '',
    IPAddresses: [{ Network: 'bridge', IP: '10.89.0.2' }],
  });
  expect(row(true)).toMatchObject({ Image: record.image.name, Mounts: '/a/long/path/of/the/host,data' });
  expect(row(false, { writtenBytes: 3, totalBytes: 4_500_003 }).Size).toBe('3B (virtual 4.5MB)');
});
