import { readFile } from 'node:fs/promises';
import { isErrno, isOcitsError, OcitsError } from '../../errors.ts';
import { formatHostPort, type PortMapping } from '../../options/ports.ts';
import { bindPort, type PortSocket, type PortSockets } from './port-sockets.ts';

/** A host port that a container has. */
export interface TakenPort extends PortMapping {
  /** The container, for messages. */
  readonly holder: string;
}

/**
 * Settles which host ports are used, and has them from then on: their sockets go to `sockets`. A mapping with a range
 * gets the first free port of it, one with port 0 a port that the system chooses. One without an address becomes two,
 * for IPv4 and, where the host has it, IPv6. Checks against `taken`, and by binding. To be called under the network's
 * lock. Throws `in-use` with the port and who has it.
 */
export async function settlePorts(
  wanted: readonly PortMapping[],
  taken: readonly TakenPort[],
  sockets: PortSockets,
): Promise<PortMapping[]> {
  const settled: PortMapping[] = [];
  const everywhere = wanted.length === 0 ? [] : await everyAddress();
  for (const { hostPortEnd, ...mapping } of wanted) {
    const hosts = mapping.hostIp === '' ? everywhere : [mapping.hostIp];
    const all = [...taken, ...settled.map((port) => ({ ...port, holder: 'this container' }))];
    const port =
      mapping.hostPort === 0
        ? await chosenBySystem(mapping, hosts, all)
        : await firstFree({ ...mapping, hostPortEnd }, hosts, all);
    sockets.add(port.sockets);
    settled.push(...port.mappings);
  }
  return settled;
}

/** A port on all addresses that it is published on. */
interface SettledPort {
  readonly mappings: readonly PortMapping[];
  /** None for sctp, which Node cannot bind: there only our own records count. */
  readonly sockets: readonly PortSocket[];
}

/** IPv6 switched off leaves the table of its addresses empty, or away. */
async function everyAddress(): Promise<readonly string[]> {
  const table = await readFile('/proc/self/net/if_inet6', 'latin1').catch(() => '');
  return table === '' ? ['0.0.0.0'] : ['0.0.0.0', '::'];
}

async function firstFree(
  { hostPortEnd, ...mapping }: PortMapping,
  hosts: readonly string[],
  taken: readonly TakenPort[],
): Promise<SettledPort> {
  let fault: unknown;
  for (let hostPort = mapping.hostPort; hostPort <= (hostPortEnd ?? mapping.hostPort); hostPort++) {
    try {
      return await settle({ ...mapping, hostPort }, hosts, taken);
    } catch (error) {
      if (!isOcitsError(error, 'in-use')) throw error;
      fault = error;
    }
  }
  if (hostPortEnd === undefined) throw fault;
  throw new OcitsError(
    'in-use',
    `no port from ${mapping.hostPort} to ${hostPortEnd} (${mapping.protocol}) is free on ${hosts.join(' and ')}`,
  );
}

const ATTEMPTS = 50;

async function chosenBySystem(
  mapping: PortMapping,
  hosts: readonly string[],
  taken: readonly TakenPort[],
): Promise<SettledPort> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return await settle(mapping, hosts, taken);
    } catch (error) {
      // Free on the first address, and not on another one.
      if (!isOcitsError(error, 'in-use')) throw error;
    }
  }
  throw new OcitsError(
    'in-use',
    `no free ${mapping.protocol} port was found for port ${mapping.containerPort}`,
  );
}

/** One number on all of `hosts`, or none of it. Throws `in-use`, and `invalid-argument` for an address of no host. */
async function settle(
  wanted: PortMapping,
  hosts: readonly string[],
  taken: readonly TakenPort[],
): Promise<SettledPort> {
  const mappings: PortMapping[] = [];
  const sockets: PortSocket[] = [];
  try {
    for (const hostIp of hosts) {
      const hostPort = mappings[0]?.hostPort ?? wanted.hostPort;
      if (hostPort !== 0) refuseTaken({ ...wanted, hostIp, hostPort }, taken);
      const socket = await bind({ ...wanted, hostIp, hostPort });
      if (wanted.protocol === 'sctp') socket[Symbol.dispose]();
      else sockets.push(socket);
      refuseTaken(socket.mapping, taken);
      mappings.push(socket.mapping);
    }
    return { mappings, sockets };
  } catch (error) {
    for (const socket of sockets) socket[Symbol.dispose]();
    throw error;
  }
}

function refuseTaken(port: PortMapping, taken: readonly TakenPort[]): void {
  const holder = taken.find((other) => sameSocket(port, other))?.holder;
  if (holder === undefined) return;
  throw new OcitsError('in-use', `port ${formatHostPort(port)} is already published by ${holder}`, {
    hint: 'publish another host port, or stop that container',
  });
}

async function bind(port: PortMapping): Promise<PortSocket> {
  if (port.protocol === 'sctp' && port.hostPort !== 0) {
    return { mapping: port, fd: -1, [Symbol.dispose]: () => {} };
  }
  try {
    return await bindPort(port);
  } catch (error) {
    if (isErrno(error, 'EADDRINUSE')) {
      throw new OcitsError(
        'in-use',
        `port ${formatHostPort(port)} is used by another program on this host: address already in use`,
        {
          cause: error,
          hint: `publish another host port, or see who has it: ss -ln 'sport = :${port.hostPort}'`,
        },
      );
    }
    if (isErrno(error, 'EADDRNOTAVAIL', 'EAFNOSUPPORT')) {
      throw new OcitsError(
        'invalid-argument',
        `cannot publish a port on ${port.hostIp}: the host has no such address`,
        { cause: error },
      );
    }
    throw error;
  }
}

function sameSocket(a: PortMapping, b: PortMapping): boolean {
  if (a.protocol !== b.protocol || a.hostPort !== b.hostPort) return false;
  if (a.hostIp.includes(':') !== b.hostIp.includes(':')) return false;
  const any = ['0.0.0.0', '::'];
  return a.hostIp === b.hostIp || any.includes(a.hostIp) || any.includes(b.hostIp);
}
