import { readFile } from 'node:fs/promises';
import { OcitsError } from '../errors.ts';
import { formatNetwork, type Ipv4Network, overlaps, parseNetwork } from './ipv4.ts';

/** Networks that a bridge may get, in the order in which they are tried. */
const CANDIDATES: readonly Ipv4Network[] = [
  ...Array.from({ length: 11 }, (_, step) => `10.${89 + step}.0.0/16`),
  ...Array.from({ length: 8 }, (_, step) => `172.${24 + step}.0.0/16`),
  ...Array.from({ length: 8 }, (_, step) => `192.168.${208 + step * 4}.0/22`),
].map(parseNetwork);

/** The networks that the host reaches by other ways than its default route. */
export async function hostRoutes(): Promise<readonly Ipv4Network[]> {
  return parseRoutes(await readFile('/proc/net/route', 'latin1'));
}

/** Reads /proc/net/route: addresses there are hex in the processor's byte order, which is little-endian wherever Node runs but on s390x. */
export function parseRoutes(table: string): Ipv4Network[] {
  const networks: Ipv4Network[] = [];
  for (const line of table.split('\n').slice(1)) {
    const fields = line.split('\t');
    const [destination, mask] = [fields[1], fields[7]];
    if (destination === undefined || mask === undefined) continue;
    const prefix = popCount(Number.parseInt(mask, 16));
    if (prefix > 0) networks.push({ base: fromHostOrder(destination), prefix });
  }
  return networks;
}

function fromHostOrder(hex: string): number {
  const buffer = Buffer.from(hex, 'hex');
  return process.arch === 's390x' ? buffer.readUInt32BE() : buffer.readUInt32LE();
}

function popCount(value: number): number {
  return [...value.toString(2)].filter((bit) => bit === '1').length;
}

/** A network for a new bridge that meets none of `routes`. Throws `in-use` where all candidates do. */
export function chooseNetwork(routes: readonly Ipv4Network[]): Ipv4Network {
  const free = CANDIDATES.find((candidate) => !routes.some((route) => overlaps(candidate, route)));
  if (free !== undefined) return free;
  throw new OcitsError('in-use', 'every network that the bridge could have meets a route of this host', {
    hint: `name a free one in OCITS_SUBNET, such as ${formatNetwork(CANDIDATES[0]!)}`,
  });
}
