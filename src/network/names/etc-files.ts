/**
 * The room of names: hostname, hosts and resolv.conf of a container or a RUN. `container/start` and `builder/job`
 * call it, and `--add-host` is read here. It gives the files' content and writes none. The host's own files are read,
 * and never changed.
 *
 *     const files = await etcFiles(options, hostnameFor(options, id.slice(0, 12)), sandbox);
 *     await writeFile(join(folder, 'hosts'), files.hosts);
 */

import { hostname } from 'node:os';
import { textIfThere } from '../../system/file/if-there.ts';
import { sharesHostNetwork } from '../choice.ts';
import type { NetworkChoice, Sandbox } from '../network.ts';
import { type ExtraHost, extendedHosts, sandboxHosts } from './hosts-file.ts';
import { type DnsOptions, hostResolvConf, ownResolvConf, resolvConf } from './resolv-conf.ts';

/** What a container asks for concerning names, besides its networks. */
export interface NameOptions extends NetworkChoice {
  /** What was asked for; undefined where nothing was. */
  readonly hostname?: string | undefined;
  readonly dns: DnsOptions;
  readonly extraHosts: readonly ExtraHost[];
}

/** The content of the files that the network of a container or a RUN decides on, by their names in /etc. */
export type EtcFiles = Readonly<Record<'hosts' | 'hostname' | 'resolv.conf', string>>;

/** The name that the container has: with the host's network it is the host's, unless another was asked for. */
export function hostnameFor(options: NameOptions, fallback: string): string {
  return options.hostname ?? (sharesHostNetwork(options) ? hostname() : fallback);
}

/** The files of a container of that name. `sandbox` is what was set up, where the container has one of its own. */
export async function etcFiles(
  options: NameOptions,
  name: string,
  sandbox: Sandbox | undefined,
): Promise<EtcFiles> {
  const { dns, extraHosts } = options;
  const inSandbox = () => sandboxHosts(name, extraHosts, sandbox);
  if (!sharesHostNetwork(options)) {
    const servers = resolvConf(await hostResolvConf(), dns, 'namespace');
    return { hosts: inSandbox(), hostname: `${name}\n`, 'resolv.conf': servers };
  }
  const own = await textIfThere('/etc/hosts');
  return {
    hosts: own === undefined ? inSandbox() : extendedHosts(own, extraHosts),
    hostname: `${name}\n`,
    'resolv.conf': resolvConf(await ownResolvConf(), dns, 'host'),
  };
}
