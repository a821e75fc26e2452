import { OcitsError } from '../../errors.ts';
import { formatReference, type Reference } from '../../oci/reference.ts';
import type { RegistryConf, TrustedRealm } from './registries-conf.ts';

/** One place where a repository can be reached. */
export interface Endpoint {
  /** The registry's name, `host[:port]`: what credentials and certificates are looked up by. */
  readonly registry: string;
  /** The host and port that is connected to. */
  readonly host: string;
  /** The repository there. */
  readonly path: string;
  /** Plain http and unverified certificates are allowed. */
  readonly insecure: boolean;
  readonly isMirror: boolean;
  /** Where credentials may go although the way there is not safe. */
  readonly trustedRealm?: TrustedRealm | undefined;
  /** Why this place is asked. */
  readonly reason: string;
}

/**
 * The room of the host's configuration: registries.conf(5), certificates, and the folders that both lie in. The other
 * rooms of registries call it. It opens no connection.
 *
 *     const endpoints = pullEndpoints(reference, await loadRegistriesConf(folders));
 *
 * Where `reference` is pulled from, in the order to try: the mirrors that its longest matching prefix has for it,
 * then the registry itself, at the location that the configuration gives it. Throws `denied` where it is blocked.
 */
export function pullEndpoints(reference: Reference, conf: readonly RegistryConf[]): Endpoint[] {
  const match = findRegistryConf(reference, conf);
  if (match === undefined) return [plainEndpoint(reference)];
  checkBlocked(reference, match);
  const digested = reference.digest !== undefined;
  const mirrors = match.mirrors
    .filter(({ use }) => use === 'all' || (use === 'digest-only') === digested)
    .map(({ location, insecure, trustedRealm }) => {
      const reason = `mirror of ${match.prefix} by ${match.file}`;
      return { ...relocate(reference, match, location), insecure, isMirror: true, trustedRealm, reason };
    });
  const moved = match.location !== undefined && match.location !== match.prefix;
  const place = moved
    ? {
        ...relocate(reference, match, match.location),
        reason: `location of ${match.prefix} by ${match.file}`,
      }
    : plainEndpoint(reference);
  const { insecure, trustedRealm } = match;
  return [...mirrors, { ...place, insecure, isMirror: false, trustedRealm }];
}

/**
 * Where `reference` is pushed to: the registry itself, at the location that the configuration gives it, so that a
 * pull finds what was pushed. Mirrors are for pulls alone. (Other tools push to the name itself whatever `location`
 * says; containers-registries.conf(5), *Note*.) Throws `denied` where it is blocked.
 */
export function pushEndpoint(reference: Reference, conf: readonly RegistryConf[]): Endpoint {
  return pullEndpoints(reference, conf).at(-1)!;
}

/** The paths by which the registry at `host` may have what is in `repository`, mirrors of it among them. */
export function pathsAt(host: string, repository: Reference, conf: readonly RegistryConf[]): string[] {
  if (findRegistryConf(repository, conf)?.blocked) return [];
  const paths = pullEndpoints(repository, conf).filter((endpoint) => endpoint.host === host);
  return [...new Set(paths.map(({ path }) => path))];
}

/** The table with the longest prefix that `reference` begins with. */
function findRegistryConf(reference: Reference, conf: readonly RegistryConf[]): RegistryConf | undefined {
  let best: RegistryConf | undefined;
  for (const entry of conf) {
    if (matchedLength(formatReference(reference), entry.prefix) < 0) continue;
    if (best === undefined || entry.prefix.length > best.prefix.length) best = entry;
  }
  return best;
}

/** How much of `name` the prefix stands for; -1 where it does not match. */
function matchedLength(name: string, prefix: string): number {
  if (prefix.startsWith('*.')) return wildcardLength(name, prefix.slice(1));
  if (!name.startsWith(prefix)) return -1;
  const next = name[prefix.length];
  const hasPath = prefix.includes('/');
  // Behind a host a colon begins a port, behind a repository a tag.
  const ends = next === undefined || next === '/' || (hasPath && (next === ':' || next === '@'));
  return ends ? prefix.length : -1;
}

/** A wildcard stands for a whole host. Without a port it stands for any port. */
function wildcardLength(name: string, suffix: string): number {
  const host = name.slice(0, name.indexOf('/'));
  const matches = [host, host.replace(/:\d+$/, '')].some(
    (h) => h.endsWith(suffix) && h.length > suffix.length,
  );
  return matches ? host.length : -1;
}

function relocate(
  reference: Reference,
  conf: RegistryConf,
  location: string,
): Pick<Endpoint, 'registry' | 'host' | 'path'> {
  const full = formatReference(reference);
  const moved = location + full.slice(matchedLength(full, conf.prefix));
  const slash = moved.indexOf('/');
  const registry = moved.slice(0, slash);
  const path = moved
    .slice(slash + 1)
    .replace(/@.*$/, '')
    .replace(/:[^:/]*$/, '');
  if (slash < 0 || path === '') {
    throw new OcitsError(
      'invalid-config',
      `${conf.file}: ${location} in place of ${conf.prefix} leaves no repository`,
    );
  }
  return { registry, host: apiHost(registry), path };
}

function plainEndpoint({ domain, path }: Reference): Endpoint {
  return {
    registry: domain,
    host: apiHost(domain),
    path,
    insecure: false,
    isMirror: false,
    reason: 'its name',
  };
}

/** Docker Hub's registry does not answer under its name. */
function apiHost(registry: string): string {
  return registry === 'docker.io' || registry === 'index.docker.io' ? 'registry-1.docker.io' : registry;
}

/**
 * Whether `host[:port]` is this machine: `localhost`, or a loopback address in any spelling (`127.0.0.1`, `127.1`,
 * `[::1]`, and 127.0.0.0/8 as an IPv4-mapped address of IPv6).
 */
export function isLoopback(host: string): boolean {
  const url = `http://${host}`;
  const name = URL.canParse(url) ? new URL(url).hostname : host;
  if (name === 'localhost' || name === 'localhost.' || name === '[::1]') return true;
  return /^127(?:\.\d{1,3}){3}$/.test(name) || /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/.test(name);
}

function checkBlocked(reference: Reference, conf: RegistryConf): void {
  if (!conf.blocked) return;
  throw new OcitsError('denied', `${formatReference(reference)}: the registry is blocked by ${conf.file}`, {
    hint: `take "blocked" from the table with the prefix ${JSON.stringify(conf.prefix)}`,
  });
}
