import { OcitsError } from '../errors.ts';
import { isIpv6, parseIpv4 } from './ip-address.ts';
import { splitPair } from './pair.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';

/**
 * A published port. `hostIp` is empty for every address of the host, by IPv4 and IPv6. `hostPort` 0: the system chooses;
 * with `hostPortEnd`: the first that is free up to there.
 */
export interface PortMapping {
  readonly hostIp: string;
  readonly hostPort: number;
  readonly hostPortEnd?: number | undefined;
  readonly containerPort: number;
  readonly protocol: Protocol;
}

interface PortRange {
  readonly first: number;
  readonly last: number;
}

const PROTOCOLS: readonly string[] = ['tcp', 'udp', 'sctp'];

/**
 * Reads a value of `-p`: `[[ip:]hostPort:]containerPort[/protocol]`, each port also as a range, or
 * `published=8080,target=80[,protocol=udp]`. Where only the host's port is a range, the first free one of it is taken;
 * where the host's port is missing or 0, the system chooses. Throws `invalid-argument` that quotes the part at fault.
 */
export function parsePublish(text: string): PortMapping[] {
  const { rest, protocol } = splitProtocol(text.includes('=') ? shortForm(text) : text);
  const { hostIp, host, container } = splitParts(rest, text);
  const inner = parseRange(container, 'container port', text);
  if (host === '' || host === '0') {
    return ports(inner).map((containerPort) => ({ hostIp, hostPort: 0, containerPort, protocol }));
  }
  const outer = parseRange(host, 'host port', text);
  if (inner.first === inner.last && outer.first !== outer.last) {
    return [{ hostIp, hostPort: outer.first, hostPortEnd: outer.last, containerPort: inner.first, protocol }];
  }
  if (outer.last - outer.first !== inner.last - inner.first) {
    throw fault(text, `the ranges ${host} and ${container} are not of the same length`);
  }
  return ports(inner).map((containerPort, at) => ({
    hostIp,
    hostPort: outer.first + at,
    containerPort,
    protocol,
  }));
}

/** Docker's long form, `published=8080,target=80[,protocol=udp]`, as its short one. */
function shortForm(text: string): string {
  const fields = new Map(text.split(',').map((field) => splitPair(field)));
  const strange = [...fields.keys()].find((key) => !LONG_FORM.includes(key));
  if (strange !== undefined) throw fault(text, `there is no ${JSON.stringify(strange)}`);
  return `${fields.get('published') ?? ''}:${fields.get('target') ?? ''}/${fields.get('protocol') ?? 'tcp'}`;
}

/** `mode` is for a swarm, and says nothing of a container. */
const LONG_FORM: readonly string[] = ['published', 'target', 'protocol', 'mode'];

/** Reads what an image or `--expose` declares: `80`, `53/udp`, `8000-8010/tcp`; each port as Docker's `80/tcp`. */
export function parseExposed(text: string): string[] {
  const { rest, protocol } = splitProtocol(text);
  return ports(parseRange(rest, 'port', text)).map((port) => `${port}/${protocol}`);
}

/** A host's address as people write it before a port: one of IPv6 in brackets. */
export function formatHostIp(hostIp: string): string {
  return hostIp.includes(':') ? `[${hostIp}]` : hostIp;
}

/** A host port as people write it: `127.0.0.1:80/tcp`, `[::1]:80/tcp`. */
export function formatHostPort({ hostIp, hostPort, protocol }: PortMapping): string {
  return `${formatHostIp(hostIp)}:${hostPort}/${protocol}`;
}

function splitProtocol(text: string): { rest: string; protocol: Protocol } {
  const slash = text.lastIndexOf('/');
  const protocol = slash < 0 ? 'tcp' : text.slice(slash + 1).toLowerCase();
  if (!PROTOCOLS.includes(protocol))
    throw fault(text, `protocol ${JSON.stringify(protocol)} is not tcp, udp or sctp`);
  return { rest: slash < 0 ? text : text.slice(0, slash), protocol: protocol as Protocol };
}

function splitParts(rest: string, text: string): { hostIp: string; host: string; container: string } {
  const bracket = /^\[([^\]]*)\]:(.*)$/s.exec(rest);
  const words = (bracket?.[2] ?? rest).split(':');
  const container = words.pop()!;
  const host = words.pop() ?? '';
  const address = bracket?.[1] ?? words.join(':');
  if (bracket !== null && words.length > 0) throw fault(text, 'there are too many colons');
  if (address === '') return { hostIp: '', host, container };
  if (parseIpv4(address) === undefined && !isIpv6(address)) {
    throw fault(text, `${JSON.stringify(address)} is not an IP address`);
  }
  return { hostIp: address, host, container };
}

function parseRange(range: string, what: string, text: string): PortRange {
  if (range === '') throw fault(text, `the ${what} is missing`);
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || first < 1 || last > 65535 || last < first) {
    throw fault(
      text,
      `${what} ${JSON.stringify(range)} is not a number from 1 to 65535, or a range of two of them`,
    );
  }
  return { first, last };
}

function ports({ first, last }: PortRange): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

function fault(text: string, why: string): OcitsError {
  return new OcitsError('invalid-argument', `invalid port ${JSON.stringify(text)}: ${why}`, {
    hint: 'write [[ip:]hostPort:]containerPort[/protocol], such as 8080:80',
  });
}
