import type { PortMapping } from '../options/ports.ts';
import type { EndpointRequest, NetworkDescription, Sandbox } from './network.ts';

export interface SandboxRequest {
  /** The container's (or build's) ID: names the namespace. */
  readonly id: string;
  /** The networks that it is connected to, in this order: those of a `NetworkChoice` with a sandbox of its own. */
  readonly endpoints: readonly EndpointRequest[];
  /** Published by the first network. */
  readonly ports: readonly PortMapping[];
  /** For messages to others who want the same port: the container's name. */
  readonly label?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Sandboxes and their endpoints: one record a sandbox, in one folder of the host whatever the store. */
export interface NetworkController {
  /**
   * Makes the namespace, connects it to its networks and publishes the ports. `in-use` where a port or an address is
   * taken, naming it and, where known, who has it; `not-found` for a network. After a failure nothing is left.
   */
  setup(request: SandboxRequest): Promise<Sandbox>;
  /** Idempotent; removes rules and namespace also where half of them are gone. */
  teardown(sandbox: Pick<Sandbox, 'id'>): Promise<void>;
  /** What is set up for `id` now; undefined where nothing is. */
  find(id: string): Promise<Sandbox | undefined>;
  /**
   * Tears down the sandboxes that nobody needs any more. Those are the ones of this store that `isLive` denies, and
   * those of another store whose folder is gone and of which nothing runs. A sandbox stays while the process that asked
   * for it runs. Ports of this store whose holder has ended are held again. `isLive` is asked after the records are read, so an answer by then is an answer about them. A few file
   * reads where there is nothing to do.
   */
  repair(isLive: (id: string) => Promise<boolean>): Promise<void>;
  /** A network by its name or ID, as it stands. Throws `not-found`. */
  describe(nameOrId: string): Promise<NetworkDescription>;
  /**
   * Removes bridges with their rules from the host, where nothing is connected to them. They stay otherwise, ready for
   * the next container. Gives the names of interfaces.
   */
  prune(): Promise<readonly string[]>;
}
