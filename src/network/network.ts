export type Protocol = 'tcp' | 'udp' | 'sctp';

/** A published port. `hostPort` 0: the system chooses. */
export interface PortMapping {
  readonly hostIp: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: Protocol;
}

export interface NetworkRequest {
  /** The container's (or build's) ID: names the namespace. */
  readonly id: string;
  readonly name: string;
  readonly ports: readonly PortMapping[];
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

/** Networks of containers: made by netavark, one record an attachment under the run folder. */
export interface NetworkDriver {
  /**
   * Makes the namespace, gives it an address of the bridge and publishes the ports. `in-use` where a port is taken,
   * naming the port and, where known, who has it.
   */
  setup(request: NetworkRequest): Promise<NetworkAttachment>;
  /** Idempotent; removes rules and namespace also where half of them are gone. */
  teardown(attachment: NetworkAttachment): Promise<void>;
  /** Tears down what belongs to none of `liveIds`. */
  repair(liveIds: ReadonlySet<string>): Promise<void>;
}
