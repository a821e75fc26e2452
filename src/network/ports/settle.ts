import { createServer } from 'node:net';
import { isErrno, OcitsError } from '../../errors.ts';
import type { PortMapping, Protocol } from '../../options/ports.ts';

/** A host port that a container has. */
export interface TakenPort extends PortMapping {
  /** The container, for messages. */
  readonly holder: string;
}

/** A port as people write it: `127.0.0.1:80/tcp`. */
function formatHostPort({ hostIp, hostPort, protocol }: PortMapping): string {
  return `${hostIp}:${hostPort}/${protocol}`;
}

/**
 * Settles which host ports are used: a mapping with a range gets the first free port of it, one with port 0 a port
 * that the system chooses. Checks against `taken`, against each other, and by binding the port for a moment. To be
 * called under the network's lock. Throws `in-use` with the port and who has it.
 */
export async function settlePorts(
  wanted: readonly PortMapping[],
  taken: readonly TakenPort[],
): Promise<PortMapping[]> {
  const settled: PortMapping[] = [];
  const all = [...taken];
  for (const mapping of wanted) {
    const port = await settle(mapping, all);
    settled.push(port);
    all.push({ ...port, holder: 'this container' });
  }
  return settled;
}

async function settle(wanted: PortMapping, taken: readonly TakenPort[]): Promise<PortMapping> {
  const { hostPortEnd, ...mapping } = wanted;
  if (mapping.hostPort === 0) return await chosenBySystem(mapping, taken);
  let fault: OcitsError | undefined;
  for (let hostPort = mapping.hostPort; hostPort <= (hostPortEnd ?? mapping.hostPort); hostPort++) {
    const candidate = { ...mapping, hostPort };
    fault = await conflict(candidate, taken);
    if (fault === undefined) return candidate;
  }
  if (hostPortEnd === undefined) throw fault!;
  throw new OcitsError(
    'in-use',
    `no port from ${mapping.hostPort} to ${hostPortEnd} (${mapping.protocol}) is free on ${mapping.hostIp}`,
  );
}

const ATTEMPTS = 50;

async function chosenBySystem(mapping: PortMapping, taken: readonly TakenPort[]): Promise<PortMapping> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const hostPort = await bindOnce(mapping.protocol, mapping.hostIp, 0);
    const candidate = { ...mapping, hostPort };
    if (!taken.some((other) => sameSocket(candidate, other))) return candidate;
  }
  throw new OcitsError(
    'in-use',
    `no free ${mapping.protocol} port was found for port ${mapping.containerPort}`,
  );
}

async function conflict(port: PortMapping, taken: readonly TakenPort[]): Promise<OcitsError | undefined> {
  const holder = taken.find((other) => sameSocket(port, other))?.holder;
  if (holder !== undefined) {
    return new OcitsError('in-use', `port ${formatHostPort(port)} is already published by ${holder}`, {
      hint: 'publish another host port, or stop that container',
    });
  }
  try {
    await bindOnce(port.protocol, port.hostIp, port.hostPort);
    return undefined;
  } catch (error) {
    if (isErrno(error, 'EADDRINUSE')) {
      return new OcitsError(
        'in-use',
        `port ${formatHostPort(port)} is used by another program on this host`,
        {
          cause: error,
          hint: `publish another host port, or see who has it: ss -ln 'sport = :${port.hostPort}'`,
        },
      );
    }
    if (isErrno(error, 'EADDRNOTAVAIL')) {
      throw new OcitsError(
        'invalid-argument',
        `cannot publish a port on ${port.hostIp}: the host has no such address`,
        {
          cause: error,
        },
      );
    }
    throw error;
  }
}

function sameSocket(a: PortMapping, b: PortMapping): boolean {
  if (a.protocol !== b.protocol || a.hostPort !== b.hostPort) return false;
  return a.hostIp === b.hostIp || a.hostIp === '0.0.0.0' || b.hostIp === '0.0.0.0';
}

/** Binds and lets go; gives the port. Node cannot bind sctp: there only our own records count. */
async function bindOnce(protocol: Protocol, address: string, port: number): Promise<number> {
  if (protocol === 'udp') return await bindUdp(address, port);
  if (protocol === 'sctp' && port !== 0) return port;
  return await bindTcp(address, port);
}

function bindTcp(address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: address, port, exclusive: true }, () => {
      const { port: bound } = server.address() as { port: number };
      server.close(() => resolve(bound));
    });
  });
}

async function bindUdp(address: string, port: number): Promise<number> {
  // Few publish such a port, and all would pay for loading it.
  const { createSocket } = await import('node:dgram');
  return await new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      const bound = socket.address().port;
      socket.close(() => resolve(bound));
    });
  });
}
