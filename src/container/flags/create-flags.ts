/**
 * The flags of `create` and `run` by Docker's names, as their text. Lists are undefined where a flag is not given.
 * They are in groups, each of which one function reads.
 */
export interface ProcessFlags {
  readonly entrypoint?: string | undefined;
  readonly env?: readonly string[] | undefined;
  readonly 'env-file'?: readonly string[] | undefined;
  readonly workdir?: string | undefined;
  readonly user?: string | undefined;
  readonly tty?: boolean;
  readonly interactive?: boolean;
  readonly 'stop-signal'?: string | undefined;
  readonly 'stop-timeout'?: string | undefined;
  readonly ulimit?: readonly string[] | undefined;
}

export interface NetworkFlags {
  readonly network?: string | undefined;
  readonly hostname?: string | undefined;
  readonly publish?: readonly string[] | undefined;
  readonly 'publish-all'?: boolean;
  readonly expose?: readonly string[] | undefined;
  readonly dns?: readonly string[] | undefined;
  readonly 'dns-search'?: readonly string[] | undefined;
  readonly 'dns-option'?: readonly string[] | undefined;
  readonly 'add-host'?: readonly string[] | undefined;
}

export interface MountFlags {
  readonly volume?: readonly string[] | undefined;
  readonly mount?: readonly string[] | undefined;
  readonly tmpfs?: readonly string[] | undefined;
}

export interface ResourceFlags {
  readonly memory?: string | undefined;
  readonly 'memory-swap'?: string | undefined;
  readonly 'memory-reservation'?: string | undefined;
  readonly cpus?: string | undefined;
  readonly 'cpu-shares'?: string | undefined;
  readonly 'cpuset-cpus'?: string | undefined;
  readonly 'cpuset-mems'?: string | undefined;
  readonly 'pids-limit'?: string | undefined;
  readonly 'shm-size'?: string | undefined;
  readonly 'oom-score-adj'?: string | undefined;
}

export interface SecurityFlags {
  readonly privileged?: boolean;
  readonly 'read-only'?: boolean;
  readonly 'cap-add'?: readonly string[] | undefined;
  readonly 'cap-drop'?: readonly string[] | undefined;
  readonly 'security-opt'?: readonly string[] | undefined;
  readonly device?: readonly string[] | undefined;
  readonly sysctl?: readonly string[] | undefined;
  readonly init?: boolean;
}

export interface IdentityFlags {
  readonly name?: string | undefined;
  readonly platform?: string | undefined;
  readonly label?: readonly string[] | undefined;
  readonly 'label-file'?: readonly string[] | undefined;
  readonly annotation?: readonly string[] | undefined;
  readonly rm?: boolean;
}

export type CreateFlags = ProcessFlags &
  NetworkFlags &
  MountFlags &
  ResourceFlags &
  SecurityFlags &
  IdentityFlags;
