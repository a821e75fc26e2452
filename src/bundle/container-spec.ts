import type { DeviceMapping } from '../options/device.ts';
import type { BindMount, TmpfsMount } from '../options/mounts/mount-request.ts';
/** A mount of a container, resolved: every source exists and is absolute. */
export type ContainerMount =
  /** `recursive` has to be false for a source that is no folder: crun opens the target of a recursive mount as one. */
  | BindMount
  | {
      readonly kind: 'volume';
      readonly name: string;
      readonly source: string;
      readonly target: string;
      readonly readOnly: boolean;
      readonly anonymous: boolean;
    }
  | TmpfsMount;

export interface ResourceLimits {
  readonly memoryBytes?: number | undefined;
  readonly memorySwapBytes?: number | undefined;
  readonly memoryReservationBytes?: number | undefined;
  /** Processors, such as 1.5. */
  readonly cpus?: number | undefined;
  readonly cpuShares?: number | undefined;
  readonly cpusetCpus?: string | undefined;
  readonly cpusetMems?: string | undefined;
  readonly pidsLimit?: number | undefined;
  readonly shmSizeBytes?: number | undefined;
  /** From -1000 to 1000. */
  readonly oomScoreAdj?: number | undefined;
}

export interface SecurityOptions {
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly noNewPrivileges: boolean;
  /** `default`, `unconfined`, or the absolute path of a profile. */
  readonly seccomp: string;
  readonly readOnlyRootfs: boolean;
}

/** What a container has of which nothing is said. */
export const DEFAULT_SECURITY: SecurityOptions = {
  privileged: false,
  capAdd: [],
  capDrop: [],
  noNewPrivileges: false,
  seccomp: 'default',
  readOnlyRootfs: false,
};

/** The process, with nothing left to look up: user and groups are numbers, the argument vector is whole. */
export interface ProcessSpec {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly terminal: boolean;
  readonly consoleSize?: { readonly rows: number; readonly columns: number } | undefined;
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly rlimits: readonly { readonly type: string; readonly soft: number; readonly hard: number }[];
}

/** All that `config.json` is made from. */
export interface ContainerSpec {
  readonly id: string;
  readonly hostname?: string | undefined;
  readonly process: ProcessSpec;
  /** Where the root filesystem is mounted. */
  readonly rootfs: string;
  readonly mounts: readonly ContainerMount[];
  /** Files of ours that are bound over the image's: `/etc/hosts`, `/etc/hostname`, `/etc/resolv.conf`. */
  readonly etcFiles: readonly { readonly source: string; readonly target: string }[];
  readonly resources: ResourceLimits;
  readonly devices: readonly DeviceMapping[];
  readonly security: SecurityOptions;
  /** As runtime-spec config-linux.md#namespaces: the caller's own, an empty one, or the one at a path. */
  readonly networkNamespace: 'inherited' | 'new' | { readonly path: string };
  /** A cgroupfs path such as `/ocits/<id>`, or `slice:prefix:name` for systemd. */
  readonly cgroupsPath: string;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The absolute path of an init program on the host that is bound in and started first. */
  readonly init?: string | undefined;
}
