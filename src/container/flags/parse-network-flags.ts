import { isIP } from 'node:net';
import { OcitsError } from '../../errors.ts';
import { parseAddHost } from '../../network/hosts-file.ts';
import { parseExposed, parsePublish } from '../../options/ports.ts';
import type { NetworkFlags } from './create-flags.ts';
import type { NetworkMode, NetworkOptions } from './create-request.ts';

/** A part of a host name, and how long the kernel lets one be. */
const HOSTNAME = /^[a-zA-Z0-9]([a-zA-Z0-9_-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9_-]*[a-zA-Z0-9])?)*$/;
const HOSTNAME_LIMIT = 64;

/** Reads the flags of the network. Throws `invalid-argument` or `unsupported`. */
export function parseNetworkFlags(flags: NetworkFlags): NetworkOptions {
  const { hostname } = flags;
  if (hostname !== undefined && (!HOSTNAME.test(hostname) || hostname.length > HOSTNAME_LIMIT)) {
    throw new OcitsError('invalid-argument', `--hostname: ${JSON.stringify(hostname)} is not a host name`);
  }
  const servers = flags.dns ?? [];
  const wrong = servers.find((server) => isIP(server) === 0);
  if (wrong !== undefined) {
    throw new OcitsError('invalid-argument', `--dns: ${JSON.stringify(wrong)} is not an IP address`);
  }
  return {
    mode: parseMode(flags.network ?? 'bridge'),
    ...(hostname === undefined ? {} : { hostname }),
    ports: (flags.publish ?? []).flatMap(parsePublish),
    exposed: (flags.expose ?? []).flatMap(parseExposed),
    publishAll: flags['publish-all'] ?? false,
    dns: { servers, search: flags['dns-search'] ?? [], options: flags['dns-option'] ?? [] },
    extraHosts: (flags['add-host'] ?? []).map(parseAddHost),
  };
}

function parseMode(text: string): NetworkMode {
  if (text === 'bridge' || text === 'default') return 'bridge';
  if (text === 'host' || text === 'none') return text;
  throw new OcitsError('unsupported', `--network ${text}: only bridge, host and none are there yet`);
}
