import type { Socket as UdpSocket } from 'node:dgram';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { OcitsError } from '../../errors.ts';
import type { PortMapping } from '../../options/ports.ts';

/** A socket that has a host port: `mapping.hostPort` is its number, and `fd` is ours. */
export interface PortSocket extends Disposable {
  readonly mapping: PortMapping;
  readonly fd: number;
}

/**
 * The sockets of the ports that a set-up has chosen. Nobody else can have the ports from the choice on, until this is
 * disposed of; who is given the descriptors before that keeps them. TCP sockets listen, and whoever connects to them
 * before they are handed on is turned away.
 */
export class PortSockets implements Disposable {
  readonly #sockets: PortSocket[] = [];

  get all(): readonly PortSocket[] {
    return this.#sockets;
  }

  add(sockets: readonly PortSocket[]): void {
    this.#sockets.push(...sockets);
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets.splice(0)) socket[Symbol.dispose]();
  }
}

/**
 * Binds one host port; 0 is one that the system chooses, and the result has its number. Without `SO_REUSEADDR` among
 * UDP sockets, so that no other program can share it. Throws the system's error, such as `EADDRINUSE`.
 */
export async function bindPort(mapping: PortMapping): Promise<PortSocket> {
  return mapping.protocol === 'udp' ? await bindUdp(mapping) : await bindTcp(mapping);
}

function bindTcp(mapping: PortMapping): Promise<PortSocket> {
  return new Promise((resolve, reject) => {
    const server = createServer((client) => client.destroy());
    server.once('error', reject);
    const { hostIp: host, hostPort: port } = mapping;
    server.listen({ host, port, exclusive: true, ipv6Only: true }, () => {
      const { port: hostPort } = server.address() as { port: number };
      const { fd } = (server as Server & { readonly _handle: { readonly fd: number } })._handle;
      resolve({ mapping: { ...mapping, hostPort }, fd, [Symbol.dispose]: () => void server.close() });
    });
  });
}

async function bindUdp(mapping: PortMapping): Promise<PortSocket> {
  // Few publish such a port, and all would pay for loading it.
  const { createSocket } = await import('node:dgram');
  const { hostIp: address, hostPort: port } = mapping;
  const family = address.includes(':') ? 'udp6' : 'udp4';
  const socket: UdpSocket = createSocket({ type: family, ipv6Only: family === 'udp6' });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, resolve);
  });
  const hostPort = socket.address().port;
  const dispose = () => void socket.close();
  return {
    mapping: { ...mapping, hostPort },
    fd: udpDescriptor(family, hostPort),
    [Symbol.dispose]: dispose,
  };
}

/** Our descriptor of a UDP socket, by the kernel's table of them, proc(5): Node tells it for TCP alone. */
function udpDescriptor(family: 'udp4' | 'udp6', port: number): number {
  const own = new Map(ownSockets());
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const table = readFileSync(`/proc/self/net/${family === 'udp6' ? 'udp6' : 'udp'}`, 'latin1');
  for (const line of table.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const fd = fields[1]?.endsWith(suffix) === true ? own.get(fields[9] ?? '') : undefined;
    if (fd !== undefined) return fd;
  }
  throw new OcitsError('internal', `the socket of UDP port ${port} is not among our descriptors`);
}

/** The sockets that we have open: inode number and descriptor. */
function ownSockets(): [inode: string, fd: number][] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/self/fd/${fd}`))?.[1];
    return inode === undefined ? [] : [[inode, Number(fd)] as [string, number]];
  });
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed in the meantime: it was the one that read the folder.
    return '';
  }
}
