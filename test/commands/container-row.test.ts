import { expect, test } from 'vitest';
import { portsText, statusText } from '../../src/commands/inspect/container-row.ts';

const any = { hostIp: '0.0.0.0', protocol: 'tcp' } as const;
const now = new Date('2026-01-02T03:04:05Z');
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
const base = { pid: 0, exitCode: 0, oomKilled: false };

test('ports are ranges where they are neighbours, then what is only exposed', () => {
  const ports = [
    { ...any, hostPort: 8001, containerPort: 81 },
    { ...any, hostPort: 8000, containerPort: 80 },
    { ...any, hostPort: 9000, containerPort: 82 },
    { hostIp: '127.0.0.1', protocol: 'udp', hostPort: 53, containerPort: 53 } as const,
  ];
  expect(portsText(ports, ['80/tcp', '443/tcp'])).toBe(
    '0.0.0.0:8000-8001->80-81/tcp, 0.0.0.0:9000->82/tcp, 127.0.0.1:53->53/udp, 443/tcp',
  );
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
