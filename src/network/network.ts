/**
 * Networks of containers and of builds. A *sandbox* is a network namespace, one a container; an *endpoint* connects a
 * sandbox to one *network*; a *driver* knows how networks of one kind are made. `container`, `builder` and commands
 * come in here: they ask `choice.ts` what a value of `--network` means, and a `NetworkController` to carry it out.
 * Only this folder knows a network by its name.
 *
 *     const choice = networkChoice('bridge');
 *     const sandbox = await controller.setup({ id, ports: [], endpoints: choice.endpoints });
 *     // … processes run in the namespace at sandbox.path …
 *     await controller.teardown({ id });
 */

import type { PortMapping } from '../options/ports.ts';

/** In which network namespace a container's processes run. */
export type SandboxChoice =
  /** One that is made for them and has endpoints. */
  | { readonly kind: 'own' }
  /** The host's. */
  | { readonly kind: 'host' }
  /** A new one with a loopback and nothing else. The runtime makes it, and it ends with the processes. */
  | { readonly kind: 'none' }
  /** That of another container, by its ID. */
  | { readonly kind: 'container'; readonly id: string };

/** A network that a container is to be on. Plain data: it is kept in the container's record. */
export interface EndpointRequest {
  readonly network: string;
  /** Names, besides the container's own, by which others on the network find it. */
  readonly aliases: readonly string[];
  /** The address that it is to have there; the default is a free one. */
  readonly address?: string | undefined;
}

/** What a value of `--network` asks for. Plain data: it is kept in the container's record. */
export interface NetworkChoice {
  readonly sandbox: SandboxChoice;
  readonly endpoints: readonly EndpointRequest[];
}

/** The connection of a sandbox to one network, as it is. Enough to take it away again, even without the network's record. */
export interface NetworkEndpoint {
  readonly network: string;
  /** The network's: see `NetworkRecord`. */
  readonly driver: string;
  /** The interface of the host that it is connected to, such as the bridge. */
  readonly hostInterface: string;
  /** Its name inside the sandbox. */
  readonly interfaceName: string;
  readonly macAddress: string;
  /** With prefix length, such as `10.89.0.2/16`. */
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  /** What it has on the host: every host port is a number here. */
  readonly ports: readonly PortMapping[];
}

/** A network namespace that is made and kept by a mount, until it is torn down by whatever process. */
export interface Sandbox {
  /** The container's or the build's. */
  readonly id: string;
  readonly path: string;
  /** In the order of the request. */
  readonly endpoints: readonly NetworkEndpoint[];
  /** For messages: the container's name. */
  readonly label?: string | undefined;
}

/** A network. */
export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  /** What makes networks of its kind, by Docker's name: one of the table in `drivers/open-driver.ts`. */
  readonly driver: string;
  /** The interface of the host that its endpoints are connected to, such as the bridge. It need not be there yet. */
  readonly hostInterface?: string | undefined;
  /** Such as `10.89.0.0/16`. Undefined: the driver chooses one when the network is first used. */
  readonly subnet?: string | undefined;
  readonly gateway?: string | undefined;
}

/** A network as it stands on this host. */
export interface NetworkDescription extends NetworkRecord {
  /** Settings by the names of Docker's drivers; undefined where the kind has none. */
  readonly options?: Readonly<Record<string, string>> | undefined;
  /** What is connected, whatever the store, with the sandbox's ID and label. */
  readonly endpoints: readonly (NetworkEndpoint & Pick<Sandbox, 'id' | 'label'>)[];
}
