/**
 * The room of addresses: IPv4 networks as numbers, the next free address, and a network that meets none of the
 * host's. The drivers call it, and the settings and rules of networks. It reads the host's routes and changes
 * nothing.
 *
 *     const network = chooseNetwork((await hostRoutes()).map((route) => route.network));
 *     const address = nextAddress(network, new Set([gatewayOf(network)]), undefined);
 */

import { OcitsError } from '../../errors.ts';
import { parseIpv4 } from '../../options/ip-address.ts';

/** An IPv4 network: its first address as a number, and how many bits are fixed. */
export interface Ipv4Network {
  readonly base: number;
  readonly prefix: number;
}

function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** Reads `10.89.0.0/16`; bits behind the prefix are dropped. Throws `invalid-argument`. */
export function parseNetwork(text: string): Ipv4Network {
  const [address = '', bits = ''] = text.split('/');
  const parsed = parseIpv4(address);
  const prefix = Number(bits);
  if (parsed === undefined || !/^\d{1,2}$/.test(bits) || prefix > 32) {
    throw new OcitsError(
      'invalid-argument',
      `${JSON.stringify(text)} is not an IPv4 network such as 10.89.0.0/16`,
    );
  }
  const size = 2 ** (32 - prefix);
  return { base: Math.floor(parsed / size) * size, prefix };
}

export function formatNetwork(network: Ipv4Network): string {
  return `${formatIpv4(network.base)}/${network.prefix}`;
}

function networkSize(network: Ipv4Network): number {
  return 2 ** (32 - network.prefix);
}

/** Whether the two have an address in common. */
export function overlaps(a: Ipv4Network, b: Ipv4Network): boolean {
  return a.base < b.base + networkSize(b) && b.base < a.base + networkSize(a);
}

/** The address that the bridge itself has: the first. */
export function gatewayOf(network: Ipv4Network): string {
  return formatIpv4(network.base + 1);
}

/** Whether a container can have the address in the network: it is there, and neither the bridge's nor the last. */
export function isHostAddress(network: Ipv4Network, text: string): boolean {
  const offset = (parseIpv4(text) ?? network.base) - network.base;
  return offset > 1 && offset < networkSize(network) - 1;
}

/**
 * The next address after `last` (a host address, or undefined for the first) that is not in `used`; goes round at
 * the end, so that an address that was given back is not given out again at once. Undefined where all are in use.
 */
export function nextAddress(
  network: Ipv4Network,
  used: ReadonlySet<string>,
  last: string | undefined,
): string | undefined {
  const first = network.base + 2;
  const count = networkSize(network) - 3;
  const start = last === undefined ? 0 : (parseIpv4(last) ?? first - 1) - first + 1;
  for (let step = 0; step < count; step++) {
    const offset = (((start + step) % count) + count) % count;
    const address = formatIpv4(first + offset);
    if (!used.has(address)) return address;
  }
  return undefined;
}

/** A locally administered MAC address that an IPv4 address determines, so that a neighbour's cache stays right. */
export function macFor(address: string): string {
  const bytes = address.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
  return ['02', '0c', ...bytes].join(':');
}
