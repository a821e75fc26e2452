import { isIpv6 } from '../../options/ip-address.ts';
import type { PortMapping } from '../../options/ports.ts';

/** A port as `ps` shows it: where it is published, or nowhere. */
interface ShownPort {
  readonly port: number;
  readonly protocol: string;
  readonly host?: { readonly ip: string; readonly port: number } | undefined;
}

/**
 * Docker's `PORTS`. Neighbours are a range where they are only exposed, or have the same number on the host; then come
 * those that have another number there, each by itself.
 */
export function portsText(published: readonly PortMapping[], exposed: readonly string[]): string {
  const shown = [...published.map(publishedPort), ...exposedOnly(published, exposed)].sort(byPort);
  const groups = new Map<string, { first: number; last: number }>();
  const finished: string[] = [];
  const mapped: string[] = [];
  for (const { port, protocol, host } of shown) {
    if (host !== undefined && host.port !== port) {
      mapped.push(`${address(host.ip, String(host.port))}->${port}/${protocol}`);
      continue;
    }
    const key = `${host?.ip ?? ''}/${protocol}`;
    const group = groups.get(key);
    if (group !== undefined && group.last + 1 === port) group.last = port;
    else {
      if (group !== undefined) finished.push(groupText(key, group));
      groups.set(key, { first: port, last: port });
    }
  }
  const rest = Array.from(groups, ([key, group]) => groupText(key, group));
  return [...finished, ...rest, ...mapped].join(', ');
}

function publishedPort({ hostIp, hostPort, containerPort, protocol }: PortMapping): ShownPort {
  return { port: containerPort, protocol, host: { ip: hostIp, port: hostPort } };
}

function exposedOnly(published: readonly PortMapping[], exposed: readonly string[]): ShownPort[] {
  const known = new Set(published.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`));
  return exposed
    .filter((text) => !known.has(text))
    .map((text) => {
      const [port, protocol = 'tcp'] = text.split('/');
      return { port: Number(port), protocol };
    });
}

function byPort(a: ShownPort, b: ShownPort): number {
  const [first, second] = [a.host?.ip ?? '', b.host?.ip ?? ''];
  return (
    a.port - b.port ||
    (first < second ? -1 : first > second ? 1 : 0) ||
    (a.host?.port ?? 0) - (b.host?.port ?? 0) ||
    (a.protocol < b.protocol ? -1 : 1)
  );
}

function groupText(key: string, { first, last }: { readonly first: number; readonly last: number }): string {
  const [ip = '', protocol = ''] = key.split('/');
  const range = first === last ? String(first) : `${first}-${last}`;
  return `${ip === '' ? '' : `${address(ip, range)}->`}${range}/${protocol}`;
}

function address(ip: string, port: string): string {
  return isIpv6(ip) ? `[${ip}]:${port}` : `${ip}:${port}`;
}
