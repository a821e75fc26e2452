/** runtime-spec config.md, as far as we write it: the shape of `config.json`. */
export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly hostname?: string | undefined;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly process: RuntimeProcess;
  readonly mounts: readonly RuntimeMount[];
  readonly annotations?: Readonly<Record<string, string>> | undefined;
  readonly linux: RuntimeLinux;
}

/** runtime-spec config.md#process. Also what `exec` takes. */
export interface RuntimeProcess {
  readonly terminal: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number } | undefined;
  readonly user: {
    readonly uid: number;
    readonly gid: number;
    readonly additionalGids?: readonly number[] | undefined;
  };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: RuntimeCapabilities;
  readonly rlimits?: readonly RuntimeLimit[] | undefined;
  readonly noNewPrivileges: boolean;
  readonly oomScoreAdj?: number | undefined;
}

/** Inheritable and ambient capabilities are never given. */
export interface RuntimeCapabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
  readonly inheritable: readonly [];
  readonly ambient: readonly [];
}

/** Infinity is no limit. */
export interface RuntimeLimit {
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

export interface RuntimeMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface RuntimeNamespace {
  readonly type: 'pid' | 'mount' | 'uts' | 'ipc' | 'network' | 'cgroup';
  readonly path?: string | undefined;
}

/** runtime-spec config-linux.md. */
export interface RuntimeLinux {
  readonly namespaces: readonly RuntimeNamespace[];
  readonly cgroupsPath: string;
  readonly resources: RuntimeResources;
  readonly devices?: readonly RuntimeDevice[] | undefined;
  readonly sysctl?: Readonly<Record<string, string>> | undefined;
  readonly seccomp?: RuntimeSeccomp | undefined;
  readonly maskedPaths?: readonly string[] | undefined;
  readonly readonlyPaths?: readonly string[] | undefined;
  readonly rootfsPropagation?: string | undefined;
}

export interface RuntimeDevice {
  readonly path: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  readonly fileMode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
}

/** runtime-spec config-linux.md#allowed-device-list; absent numbers mean all of them. */
export interface DeviceRule {
  readonly allow: boolean;
  readonly type?: 'a' | 'c' | 'b' | undefined;
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
  readonly access: string;
}

export interface RuntimeResources {
  readonly devices: readonly DeviceRule[];
  readonly memory?: RuntimeMemory | undefined;
  readonly cpu?: RuntimeCpu | undefined;
  readonly pids?: { readonly limit: number } | undefined;
}

/** runtime-spec config-linux.md#memory. */
export interface RuntimeMemory {
  readonly limit?: number | undefined;
  readonly swap?: number | undefined;
  readonly reservation?: number | undefined;
}

/** runtime-spec config-linux.md#cpu. */
export interface RuntimeCpu {
  readonly quota?: number | undefined;
  readonly period?: number | undefined;
  readonly shares?: number | undefined;
  readonly cpus?: string | undefined;
  readonly mems?: string | undefined;
}

/** runtime-spec config-linux.md#seccomp. */
export interface RuntimeSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number | undefined;
  readonly architectures?: readonly string[] | undefined;
  readonly flags?: readonly string[] | undefined;
  readonly syscalls?: readonly RuntimeSyscall[] | undefined;
}

export interface RuntimeSyscall {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number | undefined;
  readonly args?: readonly SyscallArgument[] | undefined;
}

export interface SyscallArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number | undefined;
  readonly op: string;
}
