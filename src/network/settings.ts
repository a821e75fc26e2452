import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno, OcitsError } from '../errors.ts';
import { type Ipv4Network, parseNetwork } from './address/ipv4.ts';

/** Which bridge, and where its records are. Plain data. */
export interface NetworkSettings {
  /** Records, namespaces and the lock of all bridges: one folder a host, since ports and addresses are the host's. */
  readonly folder: string;
  readonly bridge: string;
  /** The driver of the network that containers are on by default; `bridge` where nothing is said. */
  readonly driver?: string | undefined;
  /** The bridge's network; undefined: one that is free on the host. */
  readonly network?: Ipv4Network | undefined;
}

/** Where the records of sandboxes are. */
export function attachmentsFolder({ folder }: NetworkSettings): string {
  return join(folder, 'attachments');
}

/** Whether anything on this host is connected to a bridge. Costs one look at a folder, and loads no driver. */
export function hasAttachments(settings: NetworkSettings = networkSettings()): boolean {
  try {
    return readdirSync(attachmentsFolder(settings)).length > 0;
  } catch (error) {
    // Networks are root's alone, and nobody else has containers yet.
    if (isErrno(error, 'ENOENT', 'EACCES')) return false;
    throw error;
  }
}

const DEFAULT_FOLDER = '/run/ocits-network';
const DEFAULT_BRIDGE = 'ocits0';

/**
 * `OCITS_BRIDGE` and `OCITS_SUBNET` name another bridge and network than `ocits0` and the first free of 10.89.0.0/16
 * and on. Stores (`OCITS_ROOT`) share one bridge, unless told otherwise. Throws `invalid-argument`.
 */
export function networkSettings(env: NodeJS.ProcessEnv = process.env): NetworkSettings {
  const bridge = env['OCITS_BRIDGE'] || DEFAULT_BRIDGE;
  if (!/^[a-z][a-z0-9-]{0,14}$/.test(bridge)) {
    throw new OcitsError(
      'invalid-argument',
      `OCITS_BRIDGE=${JSON.stringify(bridge)} is not an interface name of at most 15 lower-case letters, digits and dashes`,
    );
  }
  const subnet = env['OCITS_SUBNET'];
  return { folder: DEFAULT_FOLDER, bridge, network: subnet ? parseNetwork(subnet) : undefined };
}
