import { OcitsError } from '../../errors.ts';
import type { NetworkDriver } from '../driver.ts';

/**
 * The driver of a network that stands for a namespace: a container is on it from its start and has no endpoint there,
 * so nothing is ever made or kept. `why` says what such a container has instead.
 */
export function fixedDriver(why: string): NetworkDriver {
  return {
    define: async (network) => network,
    reserve: async ({ name }) => {
      throw new OcitsError('unsupported', `nothing can be connected to the network ${name}: ${why}`);
    },
    attach: async () => {},
    detach: async () => {},
    repair: async () => {},
    describe: (network) => ({ ...network, endpoints: [] }),
    dismantle: async () => undefined,
  };
}
