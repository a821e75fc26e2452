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
    | ((settings: NetworkSettings) => Pick<NetworkRecord, 'hostInterface' | 'subnet'>)
    | undefined;
}

/** In the order of listings. */
export const PREDEFINED: readonly [PredefinedNetwork, ...PredefinedNetwork[]] = [
  {
    name: 'bridge',
    driver: 'bridge',
    sandbox: { kind: 'own' },
    configure: ({ bridge, network }) => ({
      hostInterface: bridge,
      subnet: network === undefined ? undefined : formatNetwork(network),
    }),
  },
  { name: 'host', driver: 'host', sandbox: { kind: 'host' } },
  { name: 'none', driver: 'null', sandbox: { kind: 'none' } },
];
