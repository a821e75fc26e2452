/** runtime-spec config.md, as far as we write it: the shape of `config.json`. */
export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly hostname?: string;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly process: RuntimeProcess;
  readonly mounts: readonly RuntimeMount[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux: RuntimeLinux;
}

/** runtime-spec config.md#process. Also what `exec` takes. */
export interface RuntimeProcess {
  readonly terminal: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids?: readonly number[] };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: RuntimeCapabilities;
  readonly rlimits?: readonly RuntimeLimit[];
  readonly noNewPrivileges: boolean;
  readonly oomScoreAdj?: number;
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
  readonly path?: string;
}

/** runtime-spec config-linux.md. */
export interface RuntimeLinux {
  readonly namespaces: readonly RuntimeNamespace[];
  readonly cgroupsPath: string;
  readonly resources: RuntimeResources;
  readonly devices?: readonly RuntimeDevice[];
  readonly sysctl?: Readonly<Record<string, string>>;
  readonly seccomp?: RuntimeSeccomp;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly rootfsPropagation?: string;
}

export interface RuntimeDevice {
  readonly path: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** runtime-spec config-linux.md#allowed-device-list; absent numbers mean all of them. */
export interface DeviceRule {
  readonly allow: boolean;
  readonly type?: 'a' | 'c' | 'b';
  readonly major?: number;
  readonly minor?: number;
  readonly access: string;
}

export interface RuntimeResources {
  readonly devices: readonly DeviceRule[];
  readonly memory?: { readonly limit?: number; readonly swap?: number; readonly reservation?: number };
  readonly cpu?: {
    readonly quota?: number;
    readonly period?: number;
    readonly shares?: number;
    readonly cpus?: string;
    readonly mems?: string;
  };
  readonly pids?: { readonly limit: number };
}

/** runtime-spec config-linux.md#seccomp. */
export interface RuntimeSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly syscalls?: readonly RuntimeSyscall[];
}

export interface RuntimeSyscall {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SyscallArgument[];
}

export interface SyscallArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: string;
}
