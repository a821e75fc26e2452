import { readFile } from 'node:fs/promises';
import { isErrno } from '../../errors.ts';

/** What `--dns`, `--dns-search` and `--dns-option` say; an empty list leaves the host's word. */
export interface DnsOptions {
  readonly servers: readonly string[];
  readonly search: readonly string[];
  readonly options: readonly string[];
}

const HOST_FILE = '/etc/resolv.conf';
/** Where systemd-resolved lists the servers behind its own on the loopback. */
const RESOLVED_FILE = '/run/systemd/resolve/resolv.conf';
/** Docker's choice where the host names none that a container can reach. */
const FALLBACK_SERVERS = ['8.8.8.8', '8.8.4.4'];

/** The resolv.conf of this host as it is; empty where there is none. */
export async function ownResolvConf(): Promise<string> {
  return await readIfThere(HOST_FILE);
}

/** The resolv.conf of this host that a container in its own network namespace can use; empty where there is none. */
export async function hostResolvConf(): Promise<string> {
  const own = await ownResolvConf();
  return /^nameserver\s+127\.0\.0\.53\s*$/m.test(own) ? (await readIfThere(RESOLVED_FILE)) || own : own;
}

/**
 * The content of a container's /etc/resolv.conf, from the host's. In a namespace of its own, servers on the host's
 * loopback and by IPv6 cannot be reached: they are left out, and Docker's defaults stand in where none remains.
 */
export function resolvConf(hostFile: string, dns: DnsOptions, reach: 'host' | 'namespace'): string {
  const host = parse(hostFile);
  const reachable = host.servers.filter(
    (server) => reach === 'host' || !(server.startsWith('127.') || server.includes(':')),
  );
  const inherited = reachable.length > 0 || reach === 'host' ? reachable : FALLBACK_SERVERS;
  const servers = dns.servers.length > 0 ? dns.servers : inherited;
  const search = (dns.search.length > 0 ? dns.search : host.search).filter((domain) => domain !== '.');
  const options = dns.options.length > 0 ? dns.options : host.options;
  const lines = [
    ...servers.map((server) => `nameserver ${server}`),
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function parse(file: string): { servers: string[]; search: string[]; options: string[] } {
  const result = { servers: [] as string[], search: [] as string[], options: [] as string[] };
  for (const line of file.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (keyword === 'nameserver' && words[0] !== undefined) result.servers.push(words[0]);
    else if (keyword === 'search' || keyword === 'domain') result.search = words;
    else if (keyword === 'options') result.options.push(...words);
  }
  return result;
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'ENOTDIR')) return '';
    throw error;
  }
}
