import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { CommandLine } from '../support/program/command-line.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';
import { processesOf } from '../support/program/processes.ts';

let ocits: CommandLine;
beforeAll(async () => {
  ocits = await CommandLine.open(['busybox']);
  await ocits.ok('pull', '-q', 'busybox');
});
afterAll(() => ocits[Symbol.asyncDispose]());

afterEach(async () => {
  const left = (await ocits.ok('ps', '-aq')).split('\n').filter(Boolean);
  if (left.length > 0) await ocits.ok('rm', '-f', ...left);
});

const SERVE = 'mkdir -p /w; echo page > /w/index.html; exec httpd -f -p 80 -h /w';
const serve = async (...flags: string[]) =>
  (await ocits.ok('run', '-d', ...flags, 'busybox', 'sh', '-c', SERVE)).trim();

/** The number of the one port that a container publishes, and what `port` says of it. */
async function published(name: string): Promise<{ port: number; addresses: string[] }> {
  const addresses = (await ocits.ok('port', name, '80/tcp')).trim().split('\n');
  return { port: Number(addresses[0]!.split(':').at(-1)), addresses };
}

async function page(url: string): Promise<string> {
  // The container's server may not listen yet.
  return await vi.waitFor(async () => await (await fetch(url)).text(), { timeout: PATIENCE_MS });
}

async function bindError(host: string, port: number): Promise<string | undefined> {
  const server = createServer().listen({ host, port, ipv6Only: true });
  try {
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    server.close();
  }
}

function holderOf(id: string): number {
  const record = readFileSync(`/run/ocits-network/attachments/${id}.json`, 'utf8');
  return JSON.parse(record).holder.pid;
}

test('a port without an address is the same by IPv4 and IPv6, held, and told by all commands', async () => {
  const id = await serve('--name', 'web', '-p', '80');
  const { port, addresses } = await published('web');
  expect(addresses).toEqual([`0.0.0.0:${port}`, `[::]:${port}`]);
  expect(await ocits.ok('ps', '--format', '{{.Ports}}')).toBe(
    `0.0.0.0:${port}->80/tcp, [::]:${port}->80/tcp\n`,
  );
  expect(await ocits.ok('inspect', '-f', '{{json .NetworkSettings.Ports}}', 'web')).toBe(
    `{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"${port}"},{"HostIp":"::","HostPort":"${port}"}]}\n`,
  );
  expect(await ocits.ok('inspect', '-f', '{{json .HostConfig.PortBindings}}', 'web')).toBe(
    '{"80/tcp":[{"HostIp":"","HostPort":""}]}\n',
  );
  for (const host of ['127.0.0.1', '[::1]']) expect(await page(`http://${host}:${port}/`)).toBe('page\n');
  for (const host of ['0.0.0.0', '127.0.0.1', '::', '::1']) {
    expect(await bindError(host, port)).toBe('EADDRINUSE');
  }
  expect(execFileSync('ss', ['-Hltn', `sport = :${port}`], { encoding: 'utf8' })).toMatch(/\[::\]:/);
  await ocits.ok('stop', '-t', '0', 'web');
  expect(await bindError('::', port)).toBeUndefined();
  await ocits.ok('start', 'web');
  const again = await published('web');
  expect(await page(`http://[::1]:${again.port}/`)).toBe('page\n');
  await ocits.ok('rm', '-f', 'web');
  expect(await bindError('0.0.0.0', again.port)).toBeUndefined();
  // conmon may be about to end.
  await vi.waitUntil(() => processesOf(id).length === 0, PATIENCE_MS);
});

test('what is killed is held again, or let go, by the next command', async () => {
  const id = await serve('--name', 'web', '-p', '80');
  const { port } = await published('web');
  process.kill(-holderOf(id), 'SIGKILL');
  await vi.waitUntil(async () => (await bindError('::', port)) === undefined, PATIENCE_MS);
  await ocits.ok('ps');
  expect(await bindError('::', port)).toBe('EADDRINUSE');
  expect(await page(`http://[::1]:${port}/`)).toBe('page\n');
  const pid = Number(await ocits.ok('inspect', '-f', '{{.State.Pid}}', 'web'));
  for (const { pid: conmon } of processesOf(id).filter(({ line }) => line.includes('conmon'))) {
    process.kill(conmon, 'SIGKILL');
  }
  process.kill(pid, 'SIGKILL');
  await vi.waitUntil(() => processesOf(id).every((each) => each.pid !== pid), PATIENCE_MS);
  await ocits.ok('ps');
  expect(await bindError('::', port)).toBeUndefined();
});

test('a foreground container that outlives its command keeps its port', async () => {
  const flags = ['run', '--rm', '--name', 'front', '-p', '80', 'busybox', 'sh', '-c', SERVE];
  const command = ocits.start(flags);
  const port = await vi.waitFor(async () => (await published('front')).port, { timeout: PATIENCE_MS });
  expect(await page(`http://[::1]:${port}/`)).toBe('page\n');
  command.kill('SIGKILL');
  await once(command, 'exit');
  expect(await page(`http://[::1]:${port}/`)).toBe('page\n');
  expect(await bindError('::', port)).toBe('EADDRINUSE');
  await ocits.ok('rm', '-f', 'front');
  expect(await bindError('::', port)).toBeUndefined();
});

test('a port that a program has is an error of 125, and one of two set-ups at once gets it', async () => {
  const server = createServer().listen({ host: '::1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const run = (name: string) =>
    ocits.run(['run', '-d', '--rm', '--name', name, '-p', `${port}:80`, 'busybox', 'sleep', '1000']);
  const refused = await run('one');
  expect(refused.code).toBe(125);
  expect(refused.stderr).toMatch(/port \[::\]:\d+\/tcp is used by .*: address already in use/);
  expect(await ocits.ok('ps', '-aq')).toBe('');
  server.close();
  const codes = await Promise.all(['one', 'two'].map(async (name) => (await run(name)).code));
  expect(codes.sort()).toEqual([0, 125]);
});
