import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, OcitsError } from '../../errors.ts';
import { requireProgram } from '../../system/process/programs.ts';
import { runTool } from '../../system/process/spawn.ts';
import { chooseNetwork, hostRoutes } from '../address/host-routes.ts';
import { formatNetwork, type Ipv4Network, overlaps } from '../address/ipv4.ts';
import type { NetworkSettings } from '../settings.ts';

/** The network of a bridge: what it has where it is there, else what was set, else a free one. */
export async function bridgeNetwork(
  settings: Pick<NetworkSettings, 'bridge' | 'network'>,
): Promise<Ipv4Network> {
  const routes = await hostRoutes();
  // Not from Node's list of interfaces: a bridge without ports has no carrier, and is not in it.
  const own = routes.find(({ interfaceName }) => interfaceName === settings.bridge);
  if (own !== undefined) return own.network;
  const others = routes.map(({ network }) => network);
  if (settings.network === undefined) return chooseNetwork(others);
  const rival = others.find((route) => overlaps(route, settings.network!));
  if (rival === undefined) return settings.network;
  throw new OcitsError(
    'in-use',
    `the bridge's network ${formatNetwork(settings.network)} meets ${formatNetwork(rival)}, which this host reaches by another way`,
    { hint: 'set OCITS_SUBNET to another network, or leave it out' },
  );
}

/** Lets the host forward packets, and lets its loopback addresses reach ports published on the bridge. */
export async function allowForwarding(bridge: string): Promise<void> {
  await Promise.all([
    setSysctl('/proc/sys/net/ipv4/ip_forward'),
    // netavark forbids it for a network that it takes for internal.
    setSysctl(`/proc/sys/net/ipv4/conf/${bridge}/forwarding`),
    setSysctl(`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`),
  ]);
}

/**
 * Lets a container reach its own published port by an address of the host: on hosts that filter bridged packets
 * (br_netfilter) these go back out of the bridge's port by which they came, which a port refuses by default.
 */
export async function allowHairpin(bridge: string): Promise<void> {
  const folder = `/sys/class/net/${bridge}/brif`;
  const ports = await readdir(folder);
  await Promise.all(ports.map((port) => setSysctl(join(folder, port, 'hairpin_mode')).catch(ignoreGone)));
}

function ignoreGone(error: unknown): void {
  if (!isErrno(error, 'ENOENT', 'ENODEV')) throw error;
}

async function setSysctl(path: string): Promise<void> {
  if ((await readFile(path, 'latin1')).trim() !== '1') await writeFile(path, '1');
}

/** Deletes a bridge. False where it was not there. */
export async function deleteBridge(bridge: string): Promise<boolean> {
  try {
    await readFile(`/sys/class/net/${bridge}/ifindex`);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
  await runTool(requireProgram('ip'), ['link', 'delete', 'dev', bridge]);
  return true;
}
