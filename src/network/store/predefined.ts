import { DEFAULT_NETWORK_DRIVER } from '../../options/network-driver.ts';
import { formatNetwork } from '../address/ipv4.ts';
import type { NetworkRecord, SandboxChoice } from '../network.ts';
import type { NetworkSettings } from '../settings.ts';

/** A network that is always there. Its name is its ID. */
export interface PredefinedNetwork {
  readonly name: string;
  readonly driver: string;
  /** In which namespace a container of this network runs. */
  readonly sandbox: SandboxChoice;
  /** What the host's settings say of it. */
  readonly configure?:
    | ((settings: NetworkSettings) => Pick<NetworkRecord, 'driver' | 'hostInterface' | 'subnet'>)
    | undefined;
}

/** In the order of listings. */
export const PREDEFINED: readonly [PredefinedNetwork, ...PredefinedNetwork[]] = [
  {
    name: 'bridge',
    driver: DEFAULT_NETWORK_DRIVER,
    sandbox: { kind: 'own' },
    configure: ({ bridge, network, driver = DEFAULT_NETWORK_DRIVER }) => ({
      driver,
      hostInterface: bridge,
      subnet: network === undefined ? undefined : formatNetwork(network),
    }),
  },
  { name: 'host', driver: 'host', sandbox: { kind: 'host' } },
  { name: 'none', driver: 'null', sandbox: { kind: 'none' } },
];
