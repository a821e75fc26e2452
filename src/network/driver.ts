import type { PortMapping } from '../options/ports.ts';
import type {
  EndpointRequest,
  NetworkDescription,
  NetworkEndpoint,
  NetworkRecord,
  Sandbox,
} from './network.ts';
import type { PortSockets } from './ports/port-sockets.ts';

/** What an endpoint is to be, with the name that its interface gets inside the sandbox. */
export interface ReservationRequest extends EndpointRequest {
  readonly interfaceName: string;
  readonly ports: readonly PortMapping[];
  /** Gets the sockets of the host ports that are decided on. */
  readonly sockets: PortSockets;
}

/**
 * One kind of network. A driver keeps no records: it is given the sandboxes there are, and the controller writes down
 * what `reserve` has decided before `attach` makes any of it. So whatever is made can be found after a crash. All but
 * `define` and `describe` need the lock of networks. A new kind is one implementation and its line in
 * `drivers/open-driver.ts`.
 */
export interface NetworkDriver {
  /**
   * Settles what the record leaves open, such as the subnet. Makes nothing, and gives the same again while the network
   * is on the host. Throws `in-use` where the host cannot have it.
   */
  define(network: NetworkRecord): Promise<NetworkRecord>;
  /**
   * Decides on the addresses and host ports of a new endpoint of a defined network; `sandboxes` are all there are, on
   * whatever network. Throws `in-use` where one is taken, and `unsupported` for what the kind cannot do.
   */
  reserve(
    network: NetworkRecord,
    request: ReservationRequest,
    sandboxes: readonly Sandbox[],
  ): Promise<NetworkEndpoint>;
  /** Makes the endpoint in the sandbox, and the network on the host where it is missing. */
  attach(
    network: NetworkRecord,
    sandbox: Pick<Sandbox, 'id' | 'path'>,
    endpoint: NetworkEndpoint,
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * Takes away what an endpoint has on the host: its ports. Needs neither the network nor the namespace to be there;
   * what is in the namespace ends with it. Idempotent.
   */
  detach(sandbox: Pick<Sandbox, 'id'>, endpoint: NetworkEndpoint): Promise<void>;
  /**
   * Puts back what the host lacks of a defined network and of the ports of `sandboxes`, such as rules that somebody has
   * flushed; called for each new endpoint, too, while that is attached.
   */
  repair(network: NetworkRecord, sandboxes: readonly Sandbox[]): Promise<void>;
  /** A defined network with what is connected to it. */
  describe(network: NetworkRecord, sandboxes: readonly Sandbox[]): NetworkDescription;
  /** Removes the network from the host, where nothing is connected to it. Gives the interface that is gone by this. */
  dismantle(network: NetworkRecord): Promise<string | undefined>;
}
