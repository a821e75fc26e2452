/**
 * The room of drivers: how networks of one kind are made on the host. Only the controller calls it, holding the lock
 * of networks. A driver keeps no records and decides by what it is given; all of what it makes can be found again and
 * taken away by a later process.
 *
 *     const driver = await openDriver('bridge', folder);
 *     const request = { network: 'bridge', aliases: [], interfaceName: 'eth0', ports };
 *     const endpoint = await driver.reserve(network, request, sandboxes);
 *     await driver.attach(network, sandbox, endpoint, signal);
 */

import { OcitsError } from '../../errors.ts';
import type { NetworkDriver } from '../driver.ts';

/** Each kind of network by Docker's name of its driver, loaded when it is first used. */
const DRIVERS: Readonly<Record<string, (folder: string) => Promise<NetworkDriver>>> = {
  bridge: async (folder) => (await import('./bridge.ts')).createBridgeDriver(folder),
  host: async () => (await import('./host.ts')).createHostDriver(),
  null: async () => (await import('./none.ts')).createNullDriver(),
};

/** The driver of a kind. It may keep files of its own in `folder`. Throws `unsupported` for a kind that is not there. */
export async function openDriver(kind: string, folder: string): Promise<NetworkDriver> {
  if (Object.hasOwn(DRIVERS, kind)) return await DRIVERS[kind]!(folder);
  throw new OcitsError('unsupported', `there is no network driver ${JSON.stringify(kind)}`);
}
