import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseNetwork } from '../../../src/network/address/ipv4.ts';
import type { NetworkController } from '../../../src/network/controller.ts';
import type { Sandbox } from '../../../src/network/network.ts';
import { openNetworkController } from '../../../src/network/open-controller.ts';
import { parsePublish } from '../../../src/options/ports.ts';

const run = promisify(execFile);

const SERVERS = {
  tcp: `require('node:net').createServer({ allowHalfOpen: true }, (client) => {
      client.on('error', () => {}).write(client.remoteAddress + ' ' + client.remotePort + ' ');
      client.pipe(client);
    }).listen(process.argv[1], '0.0.0.0', () => console.log('ready'));`,
  udp: `const socket = require('node:dgram').createSocket('udp4');
    socket.on('message', (data, { address, port }) => socket.send(address + ' ' + port + ' ' + data, port, address));
    socket.bind(process.argv[1], () => console.log('ready'));`,
};

/** A bridge of its own on this host, and a host beyond it on a wire; all goes with the test, what is connected too. */
export class BridgeLab implements AsyncDisposable {
  readonly folder: string;
  readonly bridge: string;
  readonly controller: NetworkController;
  /** A host that knows no way to the bridge's network, and our own address on the wire to it. */
  readonly far: { readonly path: string; readonly address: string; readonly ownAddress: string };
  readonly #sandboxes: Sandbox[] = [];
  readonly #children: ChildProcess[] = [];

  private constructor(folder: string, bridge: string, third: number) {
    this.folder = folder;
    this.bridge = bridge;
    const settings = { folder: join(folder, 'net'), bridge, network: parseNetwork(`10.241.${third}.0/24`) };
    this.controller = openNetworkController({ root: join(folder, 'root'), run: folder }, settings);
    this.far = {
      path: `/run/netns/far${bridge}`,
      address: `198.19.${third}.2`,
      ownAddress: `198.19.${third}.1`,
    };
  }

  static async open(): Promise<BridgeLab> {
    const folder = await mkdtemp(join(tmpdir(), 'ocits-bridge-'));
    const bridge = `obl${randomBytes(3).toString('hex')}`;
    const lab = new BridgeLab(folder, bridge, randomBytes(1)[0]!);
    const far = `far${bridge}`;
    await run('ip', ['netns', 'add', far]);
    await run('ip', ['link', 'add', `${bridge}f`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', far]);
    await run('ip', ['addr', 'add', `${lab.far.ownAddress}/24`, 'dev', `${bridge}f`]);
    await run('ip', ['link', 'set', `${bridge}f`, 'up']);
    await run('ip', ['-n', far, 'addr', 'add', `${lab.far.address}/24`, 'dev', 'eth0']);
    await run('ip', ['-n', far, 'link', 'set', 'eth0', 'up']);
    return lab;
  }

  /** A sandbox that publishes ports, each as after `-p`. */
  async attach(...publish: readonly string[]): Promise<Sandbox> {
    const sandbox = await this.controller.setup({
      id: randomBytes(32).toString('hex'),
      endpoints: [{ network: 'bridge', aliases: [] }],
      ports: publish.flatMap(parsePublish),
    });
    this.#sandboxes.push(sandbox);
    return sandbox;
  }

  /** Starts a program in a namespace; resolves when it has said something. */
  async start(path: string, ...command: readonly string[]): Promise<void> {
    const child = spawn('nsenter', [`--net=${path}`, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    await once(child.stdout!, 'data');
  }

  /** Serves TCP or UDP in a namespace: sends back what comes after the address and the port of whoever sent it. */
  async serve(path: string, protocol: 'tcp' | 'udp', port: number): Promise<void> {
    await this.start(path, process.execPath, '-e', SERVERS[protocol], `${port}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const sandbox of this.#sandboxes) await this.controller.teardown(sandbox);
    await this.controller.prune();
    await run('ip', ['netns', 'delete', `far${this.bridge}`]);
    await rm(this.folder, { recursive: true });
  }
}
