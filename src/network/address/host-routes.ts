import { readFile } from 'node:fs/promises';
import { OcitsError } from '../../errors.ts';
import { formatNetwork, type Ipv4Network, overlaps, parseNetwork } from './ipv4.ts';

/** Networks that a bridge may get, in the order in which they are tried. */
const CANDIDATES: readonly Ipv4Network[] = [
  ...Array.from({ length: 11 }, (_, step) => `10.${89 + step}.0.0/16`),
  ...Array.from({ length: 8 }, (_, step) => `172.${24 + step}.0.0/16`),
  ...Array.from({ length: 8 }, (_, step) => `192.168.${208 + step * 4}.0/22`),
].map(parseNetwork);

/** A network that the host reaches by one of its interfaces. */
export interface HostRoute {
  readonly interfaceName: string;
  readonly network: Ipv4Network;
}

/** All but the default route. An interface that is up without carrier has its routes here, too. */
export async function hostRoutes(): Promise<readonly HostRoute[]> {
  return parseRoutes(await readFile('/proc/net/route', 'latin1'));
}

/** Reads /proc/net/route: addresses there are hex in the processor's byte order, which is little-endian wherever Node runs but on s390x. */
export function parseRoutes(table: string): HostRoute[] {
  const routes: HostRoute[] = [];
  for (const line of table.split('\n').slice(1)) {
    const fields = line.split('\t');
    const [interfaceName, destination, mask] = [fields[0], fields[1], fields[7]];
    if (interfaceName === undefined || destination === undefined || mask === undefined) continue;
    const prefix = popCount(Number.parseInt(mask, 16));
    if (prefix > 0) routes.push({ interfaceName, network: { base: fromHostOrder(destination), prefix } });
  }
  return routes;
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
