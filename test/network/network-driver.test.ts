import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseNetwork } from '../../src/network/ipv4.ts';
import type { NetworkAttachment, NetworkDriver } from '../../src/network/network.ts';
import { createNetworkDriver } from '../../src/network/network-driver.ts';
import type { PortMapping } from '../../src/options/ports.ts';

const run = promisify(execFile);
const bridge = `oct${randomBytes(3).toString('hex')}`;
const third = randomBytes(1)[0]!;
const outside = `198.18.${third}`;

/** A host beyond this one: a namespace on a wire of its own, which knows no way to the bridge's network. */
const far = { name: `far${bridge}`, host: `${outside}.1`, address: `${outside}.2` };

let folder: string;
let driver: NetworkDriver;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocits-net-'));
  driver = driverOf('root');
  await mkdir(join(folder, 'www'));
  await writeFile(join(folder, 'www/index.html'), 'hello from inside');
  await run('ip', ['netns', 'add', far.name]);
  await run('ip', ['link', 'add', `${bridge}f`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', far.name]);
  await run('ip', ['addr', 'add', `${far.host}/24`, 'dev', `${bridge}f`]);
  await run('ip', ['link', 'set', `${bridge}f`, 'up']);
  await run('ip', ['-n', far.name, 'addr', 'add', `${far.address}/24`, 'dev', 'eth0']);
  await run('ip', ['-n', far.name, 'link', 'set', 'eth0', 'up']);
});

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await driver.prune();
  await run('ip', ['netns', 'delete', far.name]);
  await rm(folder, { recursive: true });
});

function driverOf(root: string): NetworkDriver {
  return createNetworkDriver(
    { root: join(folder, root), run: folder },
    // A network that no bridge gets by itself: others may be made at the same time.
    { folder: join(folder, 'net'), bridge, network: parseNetwork(`10.240.${third}.0/24`) },
  );
}

/** An attachment that is torn down at the end of the block. */
async function attached(ports: readonly Partial<PortMapping>[] = [], label?: string, by = driver) {
  const attachment = await by.setup({
    id: randomBytes(32).toString('hex'),
    name: 'bridge',
    ports: ports.map((port) => ({
      hostIp: '0.0.0.0',
      hostPort: 0,
      containerPort: 80,
      protocol: 'tcp',
      ...port,
    })),
    ...(label === undefined ? {} : { label }),
  });
  return Object.assign(attachment, { [Symbol.asyncDispose]: () => by.teardown(attachment) });
}

function addressOf(attachment: NetworkAttachment): string {
  return attachment.addresses[0]!.split('/')[0]!;
}

/** A web server in a network namespace. */
async function serveIn(path: string, port: number): Promise<void> {
  const child = spawn('nsenter', [
    `--net=${path}`,
    'busybox',
    'httpd',
    '-f',
    '-p',
    `${port}`,
    '-h',
    join(folder, 'www'),
  ]);
  children.push(child);
  for (let tries = 0; tries < 100; tries++) {
    const { stdout } = await run('nsenter', [`--net=${path}`, 'cat', '/proc/net/tcp6', '/proc/net/tcp']);
    if (stdout.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} `)) return;
  }
  throw new Error('the server did not start');
}

async function fetchIn(path: string, url: string): Promise<string> {
  const { stdout } = await run('nsenter', [
    `--net=${path}`,
    'curl',
    '-s',
    '--noproxy',
    '*',
    '--max-time',
    '2',
    url,
  ]);
  return stdout;
}

async function fetchHere(url: string): Promise<string> {
  const { stdout } = await run('curl', ['-s', '--noproxy', '*', '--max-time', '4', url]);
  return stdout;
}

const farPath = `/run/netns/${far.name}`;

describe('a container on the bridge', () => {
  test('has an address, a route, a loopback, and the outside by the address of the host', async () => {
    await using box = await attached();
    const inside = async (...command: string[]) =>
      (await run('nsenter', [`--net=${box.namespacePath}`, ...command])).stdout;
    expect(await inside('ip', '-4', '-o', 'addr', 'show', 'dev', 'eth0')).toContain(` ${box.addresses[0]} `);
    expect(await inside('ip', 'route')).toContain(`default via ${box.gateways[0]}`);
    expect(await inside('ip', '-o', 'link', 'show', 'dev', 'lo')).toContain('<LOOPBACK,UP,LOWER_UP>');
    await serveIn(farPath, 8088);
    expect(await fetchIn(box.namespacePath, `http://${far.address}:8088/`)).toBe('hello from inside');
  });

  test('publishes a port on localhost, on the host, to other containers and to itself', async () => {
    await using web = await attached([{}]);
    await using other = await attached();
    await serveIn(web.namespacePath, 80);
    const port = web.ports[0]!.hostPort;
    expect(port).toBeGreaterThan(0);
    expect(await fetchHere(`http://127.0.0.1:${port}/`)).toBe('hello from inside');
    expect(await fetchHere(`http://${far.host}:${port}/`)).toBe('hello from inside');
    expect(await fetchIn(farPath, `http://${far.host}:${port}/`)).toBe('hello from inside');
    expect(await fetchIn(other.namespacePath, `http://${far.host}:${port}/`)).toBe('hello from inside');
    expect(await fetchIn(web.namespacePath, `http://${far.host}:${port}/`)).toBe('hello from inside');
    expect(await fetchIn(other.namespacePath, `http://${addressOf(web)}/`)).toBe('hello from inside');
    await driver.teardown(web);
    await expect(fetchHere(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });

  test('publishes on one address only where told so', async () => {
    await using web = await attached([{ hostIp: '127.0.0.1' }]);
    await serveIn(web.namespacePath, 80);
    const port = web.ports[0]!.hostPort;
    expect(await fetchHere(`http://127.0.0.1:${port}/`)).toBe('hello from inside');
    await expect(fetchIn(farPath, `http://${far.host}:${port}/`)).rejects.toThrow();
  });

  test('cannot reach what listens on the loopback of the host', async () => {
    await using box = await attached();
    const server = await listen('127.0.0.1');
    const { port } = server.address() as { port: number };
    const inside = (...command: string[]) => run('nsenter', [`--net=${box.namespacePath}`, ...command]);
    await inside('ip', 'addr', 'flush', 'dev', 'lo');
    await inside('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet');
    await inside('ip', 'route', 'add', '127.0.0.0/8', 'via', box.gateways[0]!);
    let connections = 0;
    server.on('connection', (socket) => {
      connections++;
      socket.destroy();
    });
    await expect(inside('busybox', 'nc', '-w', '1', '127.0.0.1', `${port}`)).rejects.toThrow();
    expect(connections).toBe(0);
    server.close();
  });
});

describe('host ports', () => {
  test('are refused while another container has them, and name it', async () => {
    await using web = await attached([{}], 'web');
    const { hostPort } = web.ports[0]!;
    await expect(attached([{ hostPort, hostIp: '127.0.0.1' }])).rejects.toMatchObject({
      code: 'in-use',
      message: `port 127.0.0.1:${hostPort}/tcp is already published by container web`,
    });
    await using udp = await attached([{ hostPort, protocol: 'udp' }]);
    expect(udp.ports[0]!.hostPort).toBe(hostPort);
  });

  test('are refused while a program of the host has them, on whatever address', async () => {
    for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
      const server = await listen(host);
      const { port } = server.address() as { port: number };
      await expect(attached([{ hostPort: port }])).rejects.toMatchObject({ code: 'in-use' });
      await using next = await attached([{ hostPort: port, hostPortEnd: port + 20 }]);
      expect(next.ports[0]!.hostPort).toBeGreaterThan(port);
      server.close();
    }
  });

  test('leave nothing behind when one of them is refused', async () => {
    const server = await listen('127.0.0.1');
    const { port } = server.address() as { port: number };
    await expect(attached([{}, { hostPort: port }])).rejects.toMatchObject({ code: 'in-use' });
    server.close();
    expect(await readdir(join(folder, 'net/netns'))).toEqual([]);
    expect(await readdir(join(folder, 'net/attachments'))).toEqual([]);
  });
});

describe('the driver', () => {
  test('leaves no rule where the bridge cannot be reached', async () => {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    const path = process.env['PATH'];
    const { stdout } = await run('which', ['iptables-restore']);
    await writeFile(join(bin, 'netavark'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const slow = `#!/bin/sh\nsleep 0.5\nexec ${stdout.trim()} "$@"\n`;
    await writeFile(join(bin, 'iptables-restore'), slow, { mode: 0o755 });
    process.env['PATH'] = `${bin}:${path}`;
    try {
      await expect(attached([{}])).rejects.toMatchObject({ code: 'tool-failed' });
    } finally {
      process.env['PATH'] = path;
    }
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await ourRules()).not.toMatch(/dnat.*--dport/i);
    expect(await readdir(join(folder, 'net/attachments'))).toEqual([]);
  });

  test('gives different addresses to set-ups at the same time', async () => {
    const boxes = await Promise.all(Array.from({ length: 6 }, () => attached([{}])));
    expect(new Set(boxes.map(addressOf)).size).toBe(6);
    expect(new Set(boxes.map((box) => box.ports[0]!.hostPort)).size).toBe(6);
    await Promise.all(boxes.map((box) => driver.teardown(box)));
    expect(await ourRules()).not.toMatch(/dnat.*--dport/i);
  });

  test('does not cut off who is connected when another comes', async () => {
    await using _first = await attached();
    const forwarding = `/proc/sys/net/ipv4/conf/${bridge}/forwarding`;
    const watch = `const { readFileSync, writeSync } = require('node:fs');
      writeSync(1, 'watching');
      while (readFileSync('${forwarding}', 'latin1') === '1\\n') {}
      writeSync(1, ', off');`;
    const watching = spawn(process.execPath, ['-e', watch]);
    children.push(watching);
    let seen = '';
    watching.stdout.on('data', (data) => {
      seen += data;
    });
    await once(watching.stdout, 'data');
    for (let count = 0; count < 3; count++) {
      await using _next = await attached();
    }
    watching.kill('SIGKILL');
    expect(seen).toBe('watching');
  });

  test('puts back what somebody has flushed', async () => {
    await using web = await attached([{}]);
    await serveIn(web.namespacePath, 80);
    for (const rule of (await ourRules()).split('\n').filter((line) => line.startsWith('-A POSTROUTING'))) {
      await run('iptables', ['-t', 'nat', ...words(rule.replace('-A', '-D'))]);
    }
    await run('iptables', ['-t', 'nat', '-F', `OCITS-DNAT-${bridge}`]);
    await using _other = await attached();
    expect(await fetchHere(`http://127.0.0.1:${web.ports[0]!.hostPort}/`)).toBe('hello from inside');
    expect((await ourRules()).match(/^-A POSTROUTING/gm)).toHaveLength(3);
  });

  test('tears down twice, and after the namespace is gone', async () => {
    const box = await attached([{}]);
    await run('umount', [box.namespacePath]);
    await driver.teardown(box);
    await driver.teardown(box);
    expect(existsSync(box.namespacePath)).toBe(false);
    expect(await driver.find(box.id)).toBeUndefined();
  });

  test('repairs what dead processes left, and nothing else', async () => {
    await using alive = await attached();
    await using mine = await attached([{}]);
    await using foreign = await attached([], undefined, driverOf('other'));
    await mkdir(join(folder, 'other'), { recursive: true });
    for (const box of [alive, mine, foreign]) await forgetOwner(box.id);
    await using starting = await attached();
    await driver.repair(async (id) => id === alive.id);
    const found = await Promise.all([alive, mine, foreign, starting].map((box) => driver.find(box.id)));
    expect(found.map((box) => box !== undefined)).toEqual([true, false, true, true]);
    await rm(join(folder, 'other'), { recursive: true });
    const child = spawn('nsenter', [`--net=${foreign.namespacePath}`, 'cat'], { stdio: 'pipe' });
    child.stdin.write('\n');
    await once(child.stdout, 'data');
    await driver.repair(async (id) => id === alive.id);
    expect(await driver.find(foreign.id)).toBeDefined();
    child.stdin.end();
    await once(child, 'exit');
    await driver.repair(async (id) => id === alive.id);
    expect(await driver.find(foreign.id)).toBeUndefined();
  });

  test('repairs what was left half-written', async () => {
    const dead = spawn('true');
    await once(dead, 'exit');
    const left = join(folder, 'net/attachments', `.tmp-${dead.pid}-0a1b2c`);
    await writeFile(left, '');
    await driver.repair(async () => true);
    expect(existsSync(left)).toBe(false);
  });

  test('repairs nothing that has come since it looked', async () => {
    const request = { id: randomBytes(32).toString('hex'), name: 'bridge', ports: [] };
    const ended = await driver.setup(request);
    await forgetOwner(ended.id);
    await driver.repair(async () => {
      await driver.teardown(ended);
      await driver.setup(request);
      return false;
    });
    expect(await driver.find(ended.id)).toBeDefined();
    expect(existsSync(ended.namespacePath)).toBe(true);
    await driver.teardown(ended);
  });

  test('keeps its bridge until it is pruned, and then leaves no rule', async () => {
    const box = await attached([{}]);
    expect(await driver.prune()).toEqual([]);
    await driver.teardown(box);
    expect(existsSync(`/sys/class/net/${bridge}`)).toBe(true);
    expect(await driver.prune()).toEqual([bridge]);
    expect(existsSync(`/sys/class/net/${bridge}`)).toBe(false);
    expect(await ourRules()).toBe('');
    expect(await driver.prune()).toEqual([]);
  });

  test('says what it does not have', async () => {
    const request = { id: 'a'.repeat(64), ports: [] };
    await expect(driver.setup({ ...request, name: 'mine' })).rejects.toMatchObject({ code: 'unsupported' });
    const port = { hostIp: '::1', hostPort: 0, containerPort: 80, protocol: 'tcp' } as const;
    await expect(driver.setup({ ...request, name: 'bridge', ports: [port] })).rejects.toThrow('::1');
  });
});

async function ourRules(): Promise<string> {
  const { stdout } = await run('iptables-save', []);
  return stdout
    .split('\n')
    .filter((line) => line.includes(bridge))
    .join('\n');
}

function words(rule: string): string[] {
  return rule.replaceAll('"', '').split(' ');
}

async function forgetOwner(id: string): Promise<void> {
  const path = join(folder, 'net/attachments', `${id}.json`);
  const record = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...record, owner: { ...record.owner, startTicks: 1 } }));
}

function listen(host: string): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer().listen({ host, port: 0 }, () => resolve(server));
  });
}
