import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Sandbox } from '../../src/network/network.ts';
import { startHolder } from '../../src/network/ports/holder.ts';
import { PortSockets } from '../../src/network/ports/port-sockets.ts';
import { settlePorts } from '../../src/network/ports/settle.ts';
import { type PortMapping, parsePublish } from '../../src/options/ports.ts';
import { BridgeLab } from '../support/network/bridge-lab.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';
import { processesOf } from '../support/program/processes.ts';

const SETTLE = join(import.meta.dirname, '../../src/network/ports/settle.ts');
const run = promisify(execFile);
let lab: BridgeLab;

beforeAll(async () => {
  lab = await BridgeLab.open();
});
afterAll(async () => await lab[Symbol.asyncDispose]());

function portsOf({ endpoints }: Sandbox): readonly PortMapping[] {
  return endpoints.flatMap(({ ports }) => ports);
}

/** What another program gets that wants to have a port. */
async function bindError(protocol: 'tcp' | 'udp', host: string, port: number): Promise<string | undefined> {
  const socket =
    protocol === 'tcp'
      ? createServer().listen({ host, port, ipv6Only: true })
      : createSocket({ type: host.includes(':') ? 'udp6' : 'udp4' }).bind({ address: host, port });
  try {
    await once(socket, 'listening');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    try {
      socket.close();
    } catch {
      // It has never been open.
    }
  }
}

/** Sends, closes that direction, and gives all that comes back. */
async function ask(host: string, port: number, question: string | Buffer = ''): Promise<string> {
  const socket = connect({ host, port, allowHalfOpen: true });
  socket.end(question);
  const answer = await text(socket);
  socket.destroy();
  return answer;
}

/** The processes that hold a sandbox's ports, or wait or forward for them. */
function holdersOf({ id }: Sandbox): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => ['cmdline', 'environ'].some((name) => readIfThere(`/proc/${pid}/${name}`).includes(id)))
    .map(Number);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function kibibytes(pids: readonly number[], field: string): number {
  const sizes = pids.map((pid) => {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)![1]);
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('a published port', () => {
  test('is held on every address, by TCP and UDP, as long as the container is there', async () => {
    const box = await lab.attach('0:80', '0:53/udp');
    for (const protocol of ['tcp', 'udp'] as const) {
      const ports = portsOf(box).filter((port) => port.protocol === protocol);
      expect(ports.map(({ hostIp }) => hostIp)).toEqual(['0.0.0.0', '::']);
      const port = ports[0]!.hostPort;
      expect(ports[1]!.hostPort).toBe(port);
      const addresses = ['0.0.0.0', '127.0.0.1', lab.far.ownAddress, '::', '::1'];
      for (const host of addresses) expect(await bindError(protocol, host, port)).toBe('EADDRINUSE');
      const { stdout } = await run('ss', ['-Hln', protocol === 'tcp' ? '-t' : '-u', `sport = :${port}`]);
      expect(stdout).toContain(`0.0.0.0:${port}`);
      expect(stdout).toContain(`[::]:${port}`);
    }
    await lab.controller.teardown(box);
    expect(holdersOf(box)).toEqual([]);
    for (const { protocol, hostIp, hostPort } of portsOf(box)) {
      expect(await bindError(protocol as 'tcp' | 'udp', hostIp, hostPort)).toBeUndefined();
    }
  });

  test('costs less than 1 MB, whatever the number of ports, and has no descriptor of ours', async () => {
    const box = await lab.attach(...Array.from({ length: 20 }, (_, index) => `0:${index + 1}`));
    const pids = holdersOf(box);
    for (const field of ['Pss', 'Private_Dirty', 'Private_Clean']) {
      expect(kibibytes(pids, field)).toBeLessThan(1000);
    }
    // It says that it is ready on a descriptor of ours, and closes that then.
    await vi.waitFor(() => {
      const open = readdirSync(`/proc/${pids[0]}/fd`).map((fd) => readlinkSync(`/proc/${pids[0]}/fd/${fd}`));
      expect(open.filter((target) => target.startsWith('socket:'))).toHaveLength(40);
      const others = open.filter((target) => !/^socket:|^\/dev\/null$/.test(target));
      expect(others).toEqual([expect.stringContaining('.fifo')]);
    }, PATIENCE_MS);
    expect(await readdir(join(lab.folder, 'net'))).not.toContainEqual(expect.stringMatching(/fifo$/));
  });

  test('is the same number on all addresses, also where a program has it on one of them', async () => {
    const server = await listen('::1');
    const { port } = server.address() as { port: number };
    await expect(lab.attach(`${port}:80`)).rejects.toMatchObject({
      code: 'in-use',
      message: expect.stringMatching(
        new RegExp(`port \\[::\\]:${port}/tcp is used by another program.*: address already in use$`),
      ),
    });
    const ports = portsOf(await lab.attach(`${port}-${port + 20}:80`));
    expect(new Set(ports.map(({ hostPort }) => hostPort)).size).toBe(1);
    expect(ports[0]!.hostPort).toBeGreaterThan(port);
  });

  test('is on IPv4 alone, or on IPv6 alone, where an address is named', async () => {
    const four = portsOf(await lab.attach('0.0.0.0:0:80'))[0]!;
    expect(await bindError('tcp', '::', four.hostPort)).toBeUndefined();
    const six = await lab.attach('[::1]:0:80');
    const [port] = portsOf(six);
    expect(portsOf(six)).toEqual([expect.objectContaining({ hostIp: '::1' })]);
    expect(await bindError('tcp', '127.0.0.1', port!.hostPort)).toBeUndefined();
    await lab.serve(six.path, 'tcp', 80);
    expect(await ask('::1', port!.hostPort, 'hello')).toMatch(/ hello$/);
    await expect(lab.attach(`[::]:${port!.hostPort}:80`)).rejects.toMatchObject({ code: 'in-use' });
    await lab.attach(`0.0.0.0:${port!.hostPort}:80`);
    await expect(lab.attach('[2001:db8::7]:0:80')).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('no such address'),
    });
  });

  test('is on IPv4 where IPv6 is switched off', async () => {
    const script = `
      import { PortSockets } from ${JSON.stringify(SETTLE.replace('settle.ts', 'port-sockets.ts'))};
      import { settlePorts } from ${JSON.stringify(SETTLE)};
      const sockets = new PortSockets();
      const wanted = { hostIp: '', hostPort: 0, containerPort: 80, protocol: 'tcp' };
      console.log(JSON.stringify(await settlePorts([wanted], [], sockets)));
      sockets[Symbol.dispose]();`;
    const off = 'echo 1 | tee /proc/sys/net/ipv6/conf/*/disable_ipv6 >&2; ip link set lo up; exec "$@"';
    const node = [process.execPath, '--input-type=module', '-e', script];
    const { stdout } = await run('unshare', ['--net', 'sh', '-c', off, 'sh', ...node]);
    expect(JSON.parse(stdout)).toEqual([expect.objectContaining({ hostIp: '0.0.0.0' })]);
  });
});

describe('who connects', () => {
  test('is answered by every way, and seen with its own address from outside', async () => {
    const box = await lab.attach('0:80');
    await lab.serve(box.path, 'tcp', 80);
    const port = portsOf(box)[0]!.hostPort;
    const gateway = new RegExp(`^${box.endpoints[0]!.gateways[0]} `);
    expect(await ask('::1', port)).toMatch(gateway);
    expect(await ask('127.0.0.1', port)).toMatch(gateway);
    const far = ['socat', '-T', '2', `TCP4:${lab.far.ownAddress}:${port}`, 'OPEN:/dev/null!!-'];
    const { stdout } = await run('nsenter', [`--net=${lab.far.path}`, ...far]);
    expect(stdout).toContain(`${lab.far.address} `);
  });

  test('by IPv6 can send and get much at once, and close one direction before the answer comes', async () => {
    const box = await lab.attach('0:80', '0:81');
    const [port, , late] = portsOf(box);
    await lab.serve(box.path, 'tcp', 80);
    const slow = `require('node:net').createServer({ allowHalfOpen: true }, (client) => {
      client.resume().once('end', () => setTimeout(() => client.end('late'), 1000));
    }).listen(81, '0.0.0.0', () => console.log('ready'));`;
    await lab.start(box.path, process.execPath, '-e', slow);
    const much = Buffer.alloc(20_000_000, 'abc');
    const questions = [ask('::1', port!.hostPort, much), ask('::1', port!.hostPort, 'two')];
    const [first, second, third] = await Promise.all([...questions, ask('::1', late!.hostPort, 'x')]);
    expect(first!.length - first!.lastIndexOf(' ') - 1).toBe(much.length);
    expect(second).toMatch(/ two$/);
    expect(third).toBe('late');
  });

  test('by IPv6 is answered by UDP, each sender by itself', async () => {
    const box = await lab.attach('0:53/udp');
    await lab.serve(box.path, 'udp', 53);
    const port = portsOf(box)[0]!.hostPort;
    const clients = [createSocket('udp6'), createSocket('udp6')];
    onTestFinished(() => {
      for (const client of clients) client.close();
    });
    const round = async () =>
      await Promise.all(
        clients.map(async (client) => {
          const answer = once(client, 'message');
          client.send('who am I?', port, '::1');
          return String((await answer)[0]);
        }),
      );
    const first = await round();
    expect(new Set(first).size).toBe(2);
    expect(await round()).toEqual(first);
  });

  test('is answered after the forwarder was killed, and where the rules were flushed', async () => {
    const box = await lab.attach('0:80');
    await lab.serve(box.path, 'tcp', 80);
    const port = portsOf(box)[0]!.hostPort;
    expect(await ask('::1', port, 'hello')).toMatch(/ hello$/);
    const forwarder = processesOf(box.id).find(({ line }) => line.startsWith('ocits-forward'))!;
    process.kill(forwarder.pid, 'SIGKILL');
    expect(await ask('::1', port, 'hello')).toMatch(/ hello$/);
    await run('iptables', ['-t', 'nat', '-F', `OCITS-DNAT-${lab.bridge}`]);
    expect(await ask('127.0.0.1', port, 'hello')).toMatch(/ hello$/);
  });

  test('finds nobody where the container does not listen, and none hangs', async () => {
    const box = await lab.attach('0:80');
    expect(await ask('::1', portsOf(box)[0]!.hostPort).catch(() => '')).toBe('');
  });
});

describe('the process that holds ports', () => {
  const alive = async () => true;

  test('comes back with the next command where it was killed, and has left nothing', async () => {
    const box = await lab.attach('0:80', '0:81');
    await lab.serve(box.path, 'tcp', 80);
    const [first, , second] = portsOf(box);
    expect(await ask('::1', first!.hostPort, 'hello')).toMatch(/ hello$/);
    const before = holdersOf(box);
    const killed = await holderOf(box);
    process.kill(killed, 'SIGKILL');
    await vi.waitUntil(() => !holdersOf(box).includes(killed), PATIENCE_MS);
    await lab.controller.repair(alive);
    expect(holdersOf(box).filter((pid) => before.includes(pid))).toEqual([]);
    expect(await bindError('tcp', '127.0.0.1', second!.hostPort)).toBe('EADDRINUSE');
    expect(await ask('::1', first!.hostPort, 'hello')).toMatch(/ hello$/);
    const again = await holderOf(box);
    expect(again).not.toBe(killed);
    await lab.controller.repair(alive);
    expect(await holderOf(box)).toBe(again);
  });

  test('leaves out a port that another program took meanwhile', async () => {
    const box = await lab.attach('0.0.0.0:0:80', '0.0.0.0:0:81');
    const [lost, kept] = portsOf(box);
    process.kill(-(await holderOf(box)), 'SIGKILL');
    await vi.waitUntil(
      async () => (await bindError('tcp', '0.0.0.0', lost!.hostPort)) === undefined,
      PATIENCE_MS,
    );
    const server = await listen('0.0.0.0', lost!.hostPort);
    await lab.controller.repair(alive);
    expect(await bindError('tcp', '0.0.0.0', kept!.hostPort)).toBe('EADDRINUSE');
    server.close();
    expect(await bindError('tcp', '0.0.0.0', lost!.hostPort)).toBeUndefined();
  });

  test('ends with its sandbox whose record is damaged', async () => {
    const box = await lab.attach('[::1]:0:80');
    await writeFile(join(lab.folder, 'net/attachments', `${box.id}.json`), '{');
    await lab.controller.teardown(box);
    expect(await bindError('tcp', '::1', portsOf(box)[0]!.hostPort)).toBeUndefined();
    expect(holdersOf(box)).toEqual([]);
  });

  test('does not outlive whoever starts it and cannot write down its number', async () => {
    using sockets = new PortSockets();
    await settlePorts(parsePublish('127.0.0.1:0:80'), [], sockets);
    const request = { id: `never-${process.pid}`, fifo: join(lab.folder, 'never.fifo'), address: '10.0.0.1' };
    const seen: number[] = [];
    const attempt = startHolder({ ...request, sockets: sockets.all }, async ({ pid }) => {
      seen.push(pid);
      throw new Error('no space');
    });
    await expect(attempt).rejects.toThrow('no space');
    expect(seen).toHaveLength(1);
    await vi.waitUntil(() => processesOf(request.id).length === 0, PATIENCE_MS);
  });

  test('says why it cannot hold', async () => {
    using sockets = new PortSockets();
    await settlePorts(parsePublish('127.0.0.1:0:80'), [], sockets);
    const request = { id: 'nowhere', fifo: join(lab.folder, 'no/folder'), address: '10.0.0.1' };
    const attempt = startHolder({ ...request, sockets: sockets.all }, async () => {});
    await expect(attempt).rejects.toMatchObject({
      code: 'tool-failed',
      message: expect.stringMatching(/ports cannot be held: .*No such file/),
    });
  });
});

/** The holder itself, by the record of the sandbox. */
async function holderOf({ id }: Sandbox): Promise<number> {
  const record = await readFile(join(lab.folder, 'net/attachments', `${id}.json`), 'utf8');
  return JSON.parse(record).holder.pid;
}

async function listen(host: string, port = 0): Promise<Server> {
  const server = createServer().listen({ host, port });
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return server;
}
