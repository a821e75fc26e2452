import type { PortMapping } from '../options/ports.ts';

export interface NetworkRequest {
  /** The container's (or build's) ID: names the namespace. */
  readonly id: string;
  readonly name: string;
  readonly ports: readonly PortMapping[];
  /** For messages to others who want the same port: the container's name. */
  readonly label?: string;
  readonly signal?: AbortSignal;
}

/** A network namespace that is set up. Plain data: it is kept in the container's state, for teardown by another process. */
export interface NetworkAttachment {
  readonly id: string;
  readonly network: string;
  readonly namespacePath: string;
  readonly interfaceName: string;
  readonly macAddress: string;
  /** With prefix length, such as `10.89.0.2/16`. */
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  readonly ports: readonly PortMapping[];
}

/** The one network there is, as it stands on this host. */
export interface NetworkDescription {
  /** The bridge's interface, which need not be there yet. */
  readonly bridge: string;
  /** Such as `10.89.0.0/16`: what it has, or would get. */
  readonly subnet: string;
  readonly gateway: string;
  /** Whatever the store; `label` as in the request. */
  readonly attachments: readonly (NetworkAttachment & { readonly label?: string })[];
}

/** Networks of containers: one record an attachment, in one folder of the host whatever the store. */
export interface NetworkDriver {
  /**
   * Makes the namespace, gives it an address of the bridge and publishes the ports. `in-use` where a port is taken,
   * naming the port and, where known, who has it.
   */
  setup(request: NetworkRequest): Promise<NetworkAttachment>;
  /** Idempotent; removes rules and namespace also where half of them are gone. */
  teardown(attachment: Pick<NetworkAttachment, 'id'>): Promise<void>;
  /** What is set up for `id` now; undefined where nothing is. */
  find(id: string): Promise<NetworkAttachment | undefined>;
  /**
   * Tears down what nobody needs any more: of this store where `isLive` denies it, of another where its folder is gone
   * and nothing of it runs; never while the process that asked for it still runs. `isLive` is asked after the records
   * are read, so an answer by then is an answer about them. A few file reads where there is nothing to do.
   */
  repair(isLive: (id: string) => Promise<boolean>): Promise<void>;
  describe(): Promise<NetworkDescription>;
  /** Removes bridges to which nothing is connected, with their rules. They stay otherwise, ready for the next container. */
  prune(): Promise<readonly string[]>;
}
