import { OcitsError } from '../errors.ts';
import type { NetworkChoice, Sandbox } from './network.ts';
import { PREDEFINED } from './store/predefined.ts';

/** The network namespace of a process for the runtime: the host's, a new empty one, or the one that is kept at a path. */
export type NetworkNamespace = 'inherited' | 'new' | { readonly path: string };

/** What RUN steps of a build can ask for: a network of the build's own that reaches the outside, the host's, or none. */
export type BuildNetworkMode = 'default' | 'host' | 'none';

/** Docker's other word for the network that a container is on where nothing is said. */
const DEFAULT = 'default';

/** The networks that are always there, by their names. */
export const PREDEFINED_NETWORKS: readonly string[] = PREDEFINED.map(({ name }) => name);

/** All values of `build --network`. */
export const BUILD_NETWORKS: readonly string[] = [DEFAULT, ...PREDEFINED_NETWORKS];

/** What a value of `--network` means. Throws `unsupported` for a network that is not there. */
export function networkChoice(value: string = DEFAULT): NetworkChoice {
  const network = value === DEFAULT ? PREDEFINED[0] : PREDEFINED.find(({ name }) => name === value);
  if (network !== undefined) {
    return { sandbox: network.sandbox, endpoints: [{ network: network.name, aliases: [] }] };
  }
  throw new OcitsError('unsupported', `--network ${value}: only bridge, host and none are there yet`);
}

/** What a value of `--network` means for a build. Throws `unsupported`. */
export function buildNetworkMode(value: string | undefined): BuildNetworkMode {
  const { kind } = networkChoice(value).sandbox;
  return kind === 'host' || kind === 'none' ? kind : DEFAULT;
}

/** The choice as a value of `--network`, and Docker's `NetworkMode`. */
export function networkModeOf({ sandbox, endpoints }: NetworkChoice): string {
  return sandbox.kind === 'container' ? `container:${sandbox.id}` : (endpoints[0]?.network ?? '');
}

/** Whether a sandbox is made for it, with addresses, and with ports of its own that can be published. */
export function hasOwnSandbox({ sandbox }: NetworkChoice): boolean {
  return sandbox.kind === 'own';
}

/** Whether it has the host's network, and so the host's name, its /etc/hosts and its servers of names. */
export function sharesHostNetwork({ sandbox }: NetworkChoice): boolean {
  return sandbox.kind === 'host';
}

/** Where the processes run. `sandbox` is what was set up for them, where the choice has one of its own. */
export function namespaceOf(choice: NetworkChoice, sandbox: Sandbox | undefined): NetworkNamespace {
  switch (choice.sandbox.kind) {
    case 'own':
      return { path: sandbox!.path };
    case 'host':
      return 'inherited';
    case 'none':
      return 'new';
    case 'container':
      throw new OcitsError('unsupported', 'the network of another container is not there yet');
  }
}
