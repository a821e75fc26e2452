import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseNetwork } from '../../src/network/address/ipv4.ts';
import type { NetworkController } from '../../src/network/controller.ts';
import type { EndpointRequest, Sandbox } from '../../src/network/network.ts';
import { openNetworkController } from '../../src/network/open-controller.ts';
import type { PortMapping } from '../../src/options/ports.ts';
import { PATIENCE_MS } from '../support/program/patience.ts';
import { processesOf } from '../support/program/processes.ts';

const TESTDATA = join(import.meta.dirname, '../../testdata/network');
const run = promisify(execFile);
const bridge = `oct${randomBytes(3).toString('hex')}`;
const third = randomBytes(1)[0]!;
const outside = `198.18.${third}`;

/** A host beyond this one: a namespace on a wire of its own, which knows no way to the bridge's network. */
const far = { name: `far${bridge}`, host: `${outside}.1`, address: `${outside}.2` };

let folder: string;
let controller: NetworkController;
const children: ChildProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocits-net-'));
  controller = controllerOf('root');
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
  await controller.prune();
  await run('ip', ['netns', 'delete', far.name]);
  await rm(folder, { recursive: true });
});

function controllerOf(root: string): NetworkController {
  return openNetworkController(
    { root: join(folder, root), run: folder },
    // A network that no bridge gets by itself: others may be made at the same time.
    { folder: join(folder, 'net'), bridge, network: parseNetwork(`10.240.${third}.0/24`) },
  );
}

const ENDPOINT: EndpointRequest = { network: 'bridge', aliases: [] };

/** A sandbox on the bridge that is torn down at the end of the block. */
async function attached(ports: readonly Partial<PortMapping>[] = [], label?: string, by = controller) {
  const sandbox = await by.setup({
    id: randomBytes(32).toString('hex'),
    endpoints: [ENDPOINT],
    ports: ports.map((port) => ({
      hostIp: '0.0.0.0',
      hostPort: 0,
      containerPort: 80,
      protocol: 'tcp',
      ...port,
    })),
    label,
  });
  return Object.assign(sandbox, endpointOf(sandbox), {
    [Symbol.asyncDispose]: () => by.teardown(sandbox),
  });
}

/** The one endpoint. */
function endpointOf({ endpoints }: Sandbox): Sandbox['endpoints'][number] {
  expect(endpoints).toHaveLength(1);
  return endpoints[0]!;
}

function addressOf(sandbox: Sandbox): string {
  return endpointOf(sandbox).addresses[0]!.split('/')[0]!;
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
      (await run('nsenter', [`--net=${box.path}`, ...command])).stdout;
    expect(await inside('ip', '-4', '-o', 'addr', 'show', 'dev', 'eth0')).toContain(` ${box.addresses[0]} `);
    expect(await inside('ip', 'route')).toContain(`default via ${box.gateways[0]}`);
    expect(await inside('ip', '-o', 'link', 'show', 'dev', 'lo')).toContain('<LOOPBACK,UP,LOWER_UP>');
    await serveIn(farPath, 8088);
    expect(await fetchIn(box.path, `http://${far.address}:8088/`)).toBe('hello from inside');
  });

  test('publishes a port on localhost, on the host, to other containers and to itself', async () => {
    await using web = await attached([{}]);
    await using other = await attached();
    await serveIn(web.path, 80);
    const port = web.ports[0]!.hostPort;
    expect(port).toBeGreaterThan(0);
    expect(await fetchHere(`http://127.0.0.1:${port}/`)).toBe('hello from inside');
    expect(await fetchHere(`http://${far.host}:${port}/`)).toBe('hello from inside');
    expect(await fetchIn(farPath, `http://${far.host}:${port}/`)).toBe('hello from inside');
    expect(await fetchIn(other.path, `http://${far.host}:${port}/`)).toBe('hello from inside');
    expect(await fetchIn(web.path, `http://${far.host}:${port}/`)).toBe('hello from inside');
    expect(await fetchIn(other.path, `http://${addressOf(web)}/`)).toBe('hello from inside');
    await controller.teardown(web);
    await expect(fetchHere(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });

  test('publishes on one address only where told so', async () => {
    await using web = await attached([{ hostIp: '127.0.0.1' }]);
    await serveIn(web.path, 80);
    const port = web.ports[0]!.hostPort;
    expect(await fetchHere(`http://127.0.0.1:${port}/`)).toBe('hello from inside');
    await expect(fetchIn(farPath, `http://${far.host}:${port}/`)).rejects.toThrow();
  });

  test('cannot reach what listens on the loopback of the host', async () => {
    await using box = await attached();
    const server = await listen('127.0.0.1');
    const { port } = server.address() as { port: number };
    const inside = (...command: string[]) => run('nsenter', [`--net=${box.path}`, ...command]);
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

describe('the controller', () => {
  test('has written down what a driver decided before any of it is made', async () => {
    const bin = await mkdtemp(join(folder, 'bin-'));
    const [records, seen] = [join(folder, 'net/attachments'), join(folder, 'seen.json')];
    const netavark = `#!/bin/sh\ncat '${records}'/*.json > '${seen}'\nexit 1\n`;
    await writeFile(join(bin, 'netavark'), netavark, { mode: 0o755 });
    const path = process.env['PATH'];
    process.env['PATH'] = `${bin}:${path}`;
    try {
      await expect(attached([{}], 'web')).rejects.toMatchObject({ code: 'tool-failed' });
    } finally {
      process.env['PATH'] = path;
    }
    const record = JSON.parse(await readFile(seen, 'utf8'));
    expect(record).toMatchObject({ version: 2, label: 'web', root: join(folder, 'root') });
    expect(record.path).toBe(join(folder, 'net/netns', record.id));
    const [endpoint] = record.endpoints;
    expect(endpoint).toMatchObject({ network: 'bridge', driver: 'bridge', hostInterface: bridge });
    expect(endpoint.addresses).toEqual([expect.stringMatching(/^10\.240\.\d+\.\d+\/24$/)]);
    expect(endpoint.ports).toEqual([expect.objectContaining({ containerPort: 80, protocol: 'tcp' })]);
    expect(endpoint.ports[0].hostPort).toBeGreaterThan(0);
    expect(await readdir(records)).toEqual([]);
  });

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
    await vi.waitUntil(() => processesOf(join(bin, 'iptables-restore')).length === 0, PATIENCE_MS);
    expect(await ourRules()).not.toMatch(/dnat.*--dport/i);
    expect(await readdir(join(folder, 'net/attachments'))).toEqual([]);
  });

  test('gives different addresses to set-ups at the same time', async () => {
    const boxes = await Promise.all(Array.from({ length: 6 }, () => attached([{}])));
    expect(new Set(boxes.map(addressOf)).size).toBe(6);
    expect(new Set(boxes.map((box) => box.ports[0]!.hostPort)).size).toBe(6);
    await Promise.all(boxes.map((box) => controller.teardown(box)));
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
    await serveIn(web.path, 80);
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
    await run('umount', [box.path]);
    await controller.teardown(box);
    await controller.teardown(box);
    expect(existsSync(box.path)).toBe(false);
    expect(await controller.find(box.id)).toBeUndefined();
  });

  test('repairs what dead processes left, and nothing else', async () => {
    await using alive = await attached();
    await using mine = await attached([{}]);
    await using foreign = await attached([], undefined, controllerOf('other'));
    await mkdir(join(folder, 'other'), { recursive: true });
    for (const box of [alive, mine, foreign]) await forgetOwner(box.id);
    await using starting = await attached();
    await controller.repair(async (id) => id === alive.id);
    const found = await Promise.all([alive, mine, foreign, starting].map((box) => controller.find(box.id)));
    expect(found.map((box) => box !== undefined)).toEqual([true, false, true, true]);
    await rm(join(folder, 'other'), { recursive: true });
    const child = spawn('nsenter', [`--net=${foreign.path}`, 'cat'], { stdio: 'pipe' });
    child.stdin.write('\n');
    await once(child.stdout, 'data');
    await controller.repair(async (id) => id === alive.id);
    expect(await controller.find(foreign.id)).toBeDefined();
    child.stdin.end();
    await once(child, 'exit');
    await controller.repair(async (id) => id === alive.id);
    expect(await controller.find(foreign.id)).toBeUndefined();
  });

  test('repairs what was left half-written', async () => {
    const dead = spawn('true');
    await once(dead, 'exit');
    const left = join(folder, 'net/attachments', `.tmp-${dead.pid}-0a1b2c`);
    await writeFile(left, '');
    await controller.repair(async () => true);
    expect(existsSync(left)).toBe(false);
  });

  test('repairs nothing that has come since it looked', async () => {
    const request = { id: randomBytes(32).toString('hex'), endpoints: [ENDPOINT], ports: [] };
    const ended = await controller.setup(request);
    await forgetOwner(ended.id);
    await controller.repair(async () => {
      await controller.teardown(ended);
      await controller.setup(request);
      return false;
    });
    expect(await controller.find(ended.id)).toBeDefined();
    expect(existsSync(ended.path)).toBe(true);
    await controller.teardown(ended);
  });

  test('keeps its bridge until it is pruned, and then leaves no rule and no file', async () => {
    const box = await attached([{}]);
    const files = async () => (await readdir(join(folder, 'net'))).filter((name) => name.startsWith(bridge));
    expect(await files()).toHaveLength(1);
    expect(await controller.prune()).toEqual([]);
    await controller.teardown(box);
    expect(existsSync(`/sys/class/net/${bridge}`)).toBe(true);
    expect(await controller.prune()).toEqual([bridge]);
    expect(existsSync(`/sys/class/net/${bridge}`)).toBe(false);
    expect(await ourRules()).toBe('');
    expect(await files()).toEqual([]);
    expect(await controller.prune()).toEqual([]);
  });

  test('gives a container the address that it asks for, once', async () => {
    const request = (address: string) => ({
      id: randomBytes(32).toString('hex'),
      endpoints: [{ ...ENDPOINT, address }],
      ports: [],
    });
    const wanted = `10.240.${third}.77`;
    const first = await controller.setup(request(wanted));
    expect(endpointOf(first).addresses).toEqual([`${wanted}/24`]);
    await expect(controller.setup(request(wanted))).rejects.toMatchObject({
      code: 'in-use',
      message: `another container has the address ${wanted}`,
    });
    await controller.teardown(first);
    for (const wrong of [`10.240.${third}.1`, `10.240.${third}.255`, '10.1.2.3', 'nonsense']) {
      await expect(controller.setup(request(wrong))).rejects.toMatchObject({ code: 'invalid-argument' });
    }
    expect(await readdir(join(folder, 'net/attachments'))).toEqual([]);
  });

  test('knows what an ocits has set up whose records were of one endpoint each', async () => {
    await using box = await attached([{ hostPort: 0 }], 'web');
    const path = join(folder, 'net/attachments', `${box.id}.json`);
    const golden = JSON.parse(await readFile(join(TESTDATA, 'attachment-version-1.json'), 'utf8'));
    const {
      version: _,
      endpoints,
      path: namespacePath,
      holder,
      ...record
    } = JSON.parse(await readFile(path, 'utf8'));
    const { driver: __, hostInterface, ...endpoint } = endpoints[0];
    const old = { ...record, ...endpoint, namespacePath, bridge: hostInterface };
    expect(Object.keys(old).sort()).toEqual(Object.keys(golden).sort());
    // Such an ocits held no ports.
    process.kill(-holder.pid, 'SIGKILL');
    await writeFile(path, JSON.stringify(old));
    expect(await controller.find(box.id)).toEqual({
      id: box.id,
      path: box.path,
      endpoints: box.endpoints,
      label: 'web',
    });
    expect((await controller.describe('bridge')).endpoints.map(({ id }) => id)).toEqual([box.id]);
    await controller.teardown(box);
    expect(await ourRules()).not.toMatch(/dnat.*--dport/i);
    expect(existsSync(box.path)).toBe(false);
  });

  test('touches nothing where a newer ocits has written a record', async () => {
    await using box = await attached([{}]);
    const path = join(folder, 'net/attachments', `${box.id}.json`);
    const text = await readFile(path, 'utf8');
    await writeFile(path, JSON.stringify({ version: 3, id: box.id }));
    const rules = await ourRules();
    for (const attempt of [() => attached(), () => controller.prune(), () => controller.teardown(box)]) {
      await expect(attempt()).rejects.toMatchObject({
        code: 'unsupported',
        message: expect.stringContaining('newer ocits'),
      });
    }
    expect(await ourRules()).toBe(rules);
    expect(existsSync(box.path)).toBe(true);
    await writeFile(path, text);
  });

  test('says what it does not have', async () => {
    const request = { id: 'a'.repeat(64), ports: [], endpoints: [ENDPOINT] };
    const on = (network: string, aliases: string[] = []) => ({
      ...request,
      endpoints: [{ network, aliases }],
    });
    await expect(controller.setup(on('mine'))).rejects.toMatchObject({ code: 'not-found' });
    await expect(controller.describe('mine')).rejects.toMatchObject({ code: 'not-found' });
    await expect(controller.setup(on('bridge', ['db']))).rejects.toMatchObject({ code: 'unsupported' });
    for (const network of ['host', 'none']) {
      await expect(controller.setup(on(network))).rejects.toMatchObject({ code: 'unsupported' });
    }
    expect(await readdir(join(folder, 'net/attachments'))).toEqual([]);
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
