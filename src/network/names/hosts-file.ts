import { isIP } from 'node:net';
import { OcitsError } from '../../errors.ts';
import type { Sandbox } from '../network.ts';

/** A line of /etc/hosts. `host-gateway` stands for the host as the container sees it. */
export interface ExtraHost {
  readonly name: string;
  readonly address: string;
}

const STANDARD = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'ff00::0\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
];

/** Reads a value of `--add-host`: `name:address` or `name=address`. Throws `invalid-argument`. */
export function parseAddHost(text: string): ExtraHost {
  const match = /^([^:=\s]+)[:=](\S+)$/.exec(text);
  const address = match?.[2]?.replace(/^\[(.*)\]$/, '$1');
  if (match === null || address === undefined || (address !== 'host-gateway' && isIP(address) === 0)) {
    throw new OcitsError('invalid-argument', `invalid host ${JSON.stringify(text)}: wanted name:address`, {
      hint: 'the address is an IP address, or host-gateway for this host',
    });
  }
  return { name: match[1]!, address };
}

/** What `host-gateway` stands for where no bridge leads to the host. */
const LOOPBACK = '127.0.0.1';

/** The /etc/hosts of a namespace that is not the host's; `sandbox` is what was set up there, if anything was. */
export function sandboxHosts(
  hostname: string,
  extra: readonly ExtraHost[],
  sandbox: Sandbox | undefined,
): string {
  const endpoint = sandbox?.endpoints[0];
  const address = endpoint?.addresses[0]?.split('/')[0];
  return hostsFile({ hostname, address, gateway: endpoint?.gateways[0] ?? LOOPBACK, extra });
}

/** The host's own /etc/hosts with more lines. */
export function extendedHosts(own: string, extra: readonly ExtraHost[]): string {
  const lines = extraLines(extra, LOOPBACK).map((line) => `${line}\n`);
  return `${own}${own.endsWith('\n') ? '' : '\n'}${lines.join('')}`;
}

/** The content of a container's /etc/hosts. `address` is its own, where it has one. */
export function hostsFile(options: {
  readonly hostname: string;
  readonly address?: string | undefined;
  /** What `host-gateway` stands for. */
  readonly gateway: string;
  readonly extra: readonly ExtraHost[];
}): string {
  const [short] = options.hostname.split('.');
  const names = short === options.hostname ? short : `${options.hostname} ${short}`;
  const own = options.address === undefined ? [] : [`${options.address}\t${names}`];
  return `${[...STANDARD, ...extraLines(options.extra, options.gateway), ...own].join('\n')}\n`;
}

function extraLines(extra: readonly ExtraHost[], gateway: string): string[] {
  return extra.map(({ name, address }) => `${address === 'host-gateway' ? gateway : address}\t${name}`);
}
