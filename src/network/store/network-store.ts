/**
 * The room of the networks that there are: the predefined ones, as the settings have them. The controller calls it,
 * `choice.ts` for the meaning of `--network`, and the command `network ls`. It says what a network is to be; the
 * drivers make it.
 *
 *     const networks = openNetworkStore();
 *     const { driver, subnet } = await networks.find('bridge');
 *     const all = await networks.list();
 */

import { OcitsError } from '../../errors.ts';
import type { NetworkRecord } from '../network.ts';
import { type NetworkSettings, networkSettings } from '../settings.ts';
import { PREDEFINED } from './predefined.ts';

/** The networks that containers can be on. */
export interface NetworkStore {
  /** In the order of listings. */
  list(): Promise<readonly NetworkRecord[]>;
  /** By name or ID. Throws `not-found`. */
  find(nameOrId: string): Promise<NetworkRecord>;
}

/** The store of this host's networks: the predefined ones, as the settings have them. */
export function openNetworkStore(settings: NetworkSettings = networkSettings()): NetworkStore {
  const records = PREDEFINED.map(
    ({ name, driver, configure }): NetworkRecord => ({ id: name, name, driver, ...configure?.(settings) }),
  );
  return {
    list: async () => records,
    find: async (nameOrId) => {
      const found = records.find(({ id, name }) => name === nameOrId || id === nameOrId);
      if (found !== undefined) return found;
      throw new OcitsError('not-found', `No such network: ${nameOrId}`);
    },
  };
}
