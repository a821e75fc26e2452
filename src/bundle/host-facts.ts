/** A device node of the host. */
export interface DeviceNode {
  readonly path: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What `config.json` depends on besides the container's spec: read by `runtime`, given to the pure part as data. */
export interface HostFacts {
  /** In GOARCH terms. */
  readonly architecture: string;
  /** Capabilities that we can hand on, such as `CAP_CHOWN`. */
  readonly capabilities: readonly string[];
  /** Our hard limits by name, such as `RLIMIT_NOFILE`; Infinity where there is none. */
  readonly hardLimits: Readonly<Record<string, number>>;
  /** Whether limits can be set above our own hard ones (CAP_SYS_RESOURCE). */
  readonly canRaiseLimits: boolean;
  readonly cgroupVersion: 1 | 2;
  /** Whether the kernel counts swap, so that memory and swap can be limited together. */
  readonly countsSwap: boolean;
  /** How many there are; looked up where the spec asks for some. */
  readonly processors?: number | undefined;
  /** The kernel's release, such as `6.12.3-amd64`. */
  readonly kernelRelease: string;
  /** Folders of sysfs with how often a processor was too hot, which tells what others do. Empty where there are none. */
  readonly thermalFolders: readonly string[];
  /** The text of the seccomp profile that the spec names, where it names a file. */
  readonly seccompProfile?: string | undefined;
  /** The nodes behind the spec's devices; all nodes below /dev for a privileged container. */
  readonly devices: readonly DeviceNode[];
}
