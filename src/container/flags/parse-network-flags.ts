import { isIP } from 'node:net';
import { OcitsError } from '../../errors.ts';
import { networkChoice } from '../../network/choice.ts';
import { parseAddHost } from '../../network/names/hosts-file.ts';
import { parseExposed, parsePublish } from '../../network/port-grammar.ts';
import type { NetworkFlags } from './create-flags.ts';
import type { NetworkOptions } from './create-request.ts';

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
    ...networkChoice(flags.network),
    hostname,
    ports: (flags.publish ?? []).flatMap(parsePublish),
    exposed: (flags.expose ?? []).flatMap(parseExposed),
    publishAll: flags['publish-all'] ?? false,
    dns: { servers, search: flags['dns-search'] ?? [], options: flags['dns-option'] ?? [] },
    extraHosts: (flags['add-host'] ?? []).map(parseAddHost),
  };
}
