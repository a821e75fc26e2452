import type { ResourceLimits, SecurityOptions } from '../../bundle/container-spec.ts';
import type { ImageName } from '../../image/catalog/image-name.ts';
import type { NameOptions } from '../../network/names/etc-files.ts';
import type { Platform } from '../../oci/platform.ts';
import type { DeviceMapping } from '../../options/device.ts';
import type { MountRequest } from '../../options/mounts/mount-request.ts';
import type { PortMapping } from '../../options/ports.ts';
import type { ResourceLimit } from '../../options/ulimit.ts';

/** The first process, as far as it is asked for; what is undefined comes from the image. */
export interface ProcessRequest {
  /** An empty list clears the image's. */
  readonly entrypoint?: readonly string[] | undefined;
  /** What follows the image's name. */
  readonly command: readonly string[];
  /** `NAME=value` sets, `NAME` alone takes the image's away. */
  readonly env: readonly string[];
  readonly workdir?: string | undefined;
  readonly user?: string | undefined;
  readonly terminal: boolean;
  /** Whether the container has a standard input. */
  readonly openStdin: boolean;
  readonly stopSignal?: string | undefined;
  readonly stopTimeoutSeconds?: number | undefined;
  readonly rlimits: readonly ResourceLimit[];
}

export interface NetworkOptions extends NameOptions {
  readonly ports: readonly PortMapping[];
  /** Such as `80/tcp`, beside those of the image. */
  readonly exposed: readonly string[];
  /** Whether every exposed port is published on a port that the system chooses. */
  readonly publishAll: boolean;
}

/** How far the container is kept apart from the host: limits, devices, privileges, kernel parameters, its own init. */
export interface IsolationOptions {
  readonly resources: ResourceLimits;
  readonly devices: readonly DeviceMapping[];
  readonly security: SecurityOptions;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly init: boolean;
}

/** What a user asks for with `create` and `run`: checked for its form, nothing looked up yet. */
export interface CreateRequest {
  readonly image: ImageName;
  readonly platform?: Platform | undefined;
  /** The default is a random one. */
  readonly name?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly process: ProcessRequest;
  readonly network: NetworkOptions;
  readonly mounts: readonly MountRequest[];
  readonly isolation: IsolationOptions;
  /** Whether the container goes when it has ended, with its anonymous volumes. */
  readonly autoRemove: boolean;
}
