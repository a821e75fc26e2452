/**
 * The fields of the objects of Docker's Engine API v1.47 to v1.52, copied by hand from the Go types in moby's
 * api/types (container, image, network, volume, system), each as `path:type`. The types are JSON's; `x|null` may be
 * nil, and a `?` says that JSON leaves the field out where it is empty. Below `[]` are the fields of a list's items,
 * below `{}` those of a map's values.
 */
export const ENGINE_API = {
  container: `
    Id:string Created:string Path:string Args:array State:object Image:string ResolvConfPath:string
    HostnamePath:string HostsPath:string LogPath:string Name:string RestartCount:number Driver:string
    Platform:string MountLabel:string ProcessLabel:string AppArmorProfile:string ExecIDs:array|null
    HostConfig:object GraphDriver:object SizeRw:number|null? SizeRootFs:number|null? Mounts:array Config:object
    NetworkSettings:object ImageManifestDescriptor:object|null?
    State.Status:string State.Running:boolean State.Paused:boolean State.Restarting:boolean
    State.OOMKilled:boolean State.Dead:boolean State.Pid:number State.ExitCode:number State.Error:string
    State.StartedAt:string State.FinishedAt:string State.Health:object|null?
    HostConfig.Binds:array|null HostConfig.ContainerIDFile:string HostConfig.LogConfig:object
    HostConfig.LogConfig.Type:string HostConfig.LogConfig.Config:object HostConfig.NetworkMode:string
    HostConfig.PortBindings:object HostConfig.RestartPolicy:object HostConfig.RestartPolicy.Name:string
    HostConfig.RestartPolicy.MaximumRetryCount:number HostConfig.AutoRemove:boolean HostConfig.VolumeDriver:string
    HostConfig.VolumesFrom:array|null HostConfig.ConsoleSize:array HostConfig.Annotations:object|null?
    HostConfig.CapAdd:array|null HostConfig.CapDrop:array|null HostConfig.CgroupnsMode:string
    HostConfig.Dns:array HostConfig.DnsOptions:array HostConfig.DnsSearch:array HostConfig.ExtraHosts:array|null
    HostConfig.GroupAdd:array|null HostConfig.IpcMode:string HostConfig.Cgroup:string HostConfig.Links:array|null
    HostConfig.OomScoreAdj:number HostConfig.PidMode:string HostConfig.Privileged:boolean
    HostConfig.PublishAllPorts:boolean HostConfig.ReadonlyRootfs:boolean HostConfig.SecurityOpt:array|null
    HostConfig.StorageOpt:object|null? HostConfig.Tmpfs:object? HostConfig.UTSMode:string
    HostConfig.UsernsMode:string HostConfig.ShmSize:number HostConfig.Sysctls:object|null? HostConfig.Runtime:string
    HostConfig.Isolation:string HostConfig.CpuShares:number HostConfig.Memory:number HostConfig.NanoCpus:number
    HostConfig.CgroupParent:string HostConfig.BlkioWeight:number HostConfig.BlkioWeightDevice:array|null
    HostConfig.BlkioDeviceReadBps:array|null HostConfig.BlkioDeviceWriteBps:array|null
    HostConfig.BlkioDeviceReadIOps:array|null HostConfig.BlkioDeviceWriteIOps:array|null
    HostConfig.CpuPeriod:number HostConfig.CpuQuota:number HostConfig.CpuRealtimePeriod:number
    HostConfig.CpuRealtimeRuntime:number HostConfig.CpusetCpus:string HostConfig.CpusetMems:string
    HostConfig.Devices:array HostConfig.DeviceCgroupRules:array|null HostConfig.DeviceRequests:array|null
    HostConfig.MemoryReservation:number HostConfig.MemorySwap:number HostConfig.MemorySwappiness:number|null
    HostConfig.OomKillDisable:boolean|null HostConfig.PidsLimit:number|null HostConfig.Ulimits:array
    HostConfig.CpuCount:number HostConfig.CpuPercent:number HostConfig.IOMaximumIOps:number
    HostConfig.IOMaximumBandwidth:number HostConfig.Mounts:array|null? HostConfig.MaskedPaths:array
    HostConfig.ReadonlyPaths:array HostConfig.Init:boolean|null?
    GraphDriver.Data:object|null GraphDriver.Name:string
    Mounts[].Type:string Mounts[].Name:string? Mounts[].Source:string Mounts[].Destination:string
    Mounts[].Driver:string? Mounts[].Mode:string Mounts[].RW:boolean Mounts[].Propagation:string
    Config.Hostname:string Config.Domainname:string Config.User:string Config.AttachStdin:boolean
    Config.AttachStdout:boolean Config.AttachStderr:boolean Config.ExposedPorts:object? Config.Tty:boolean
    Config.OpenStdin:boolean Config.StdinOnce:boolean Config.Env:array Config.Cmd:array|null
    Config.Healthcheck:object|null? Config.ArgsEscaped:boolean? Config.Image:string Config.Volumes:object|null
    Config.WorkingDir:string Config.Entrypoint:array|null Config.NetworkDisabled:boolean?
    Config.MacAddress:string? Config.OnBuild:array|null Config.Labels:object Config.StopSignal:string?
    Config.StopTimeout:number|null? Config.Shell:array|null?
    NetworkSettings.Bridge:string NetworkSettings.SandboxID:string NetworkSettings.SandboxKey:string
    NetworkSettings.Ports:object NetworkSettings.HairpinMode:boolean NetworkSettings.LinkLocalIPv6Address:string
    NetworkSettings.LinkLocalIPv6PrefixLen:number NetworkSettings.SecondaryIPAddresses:array|null
    NetworkSettings.SecondaryIPv6Addresses:array|null NetworkSettings.EndpointID:string
    NetworkSettings.Gateway:string NetworkSettings.GlobalIPv6Address:string
    NetworkSettings.GlobalIPv6PrefixLen:number NetworkSettings.IPAddress:string NetworkSettings.IPPrefixLen:number
    NetworkSettings.IPv6Gateway:string NetworkSettings.MacAddress:string NetworkSettings.Networks:object
    NetworkSettings.Networks{}.IPAMConfig:object|null NetworkSettings.Networks{}.Links:array|null
    NetworkSettings.Networks{}.Aliases:array|null NetworkSettings.Networks{}.DriverOpts:object|null
    NetworkSettings.Networks{}.GwPriority:number NetworkSettings.Networks{}.NetworkID:string
    NetworkSettings.Networks{}.EndpointID:string NetworkSettings.Networks{}.Gateway:string
    NetworkSettings.Networks{}.IPAddress:string NetworkSettings.Networks{}.MacAddress:string
    NetworkSettings.Networks{}.IPPrefixLen:number NetworkSettings.Networks{}.IPv6Gateway:string
    NetworkSettings.Networks{}.GlobalIPv6Address:string NetworkSettings.Networks{}.GlobalIPv6PrefixLen:number
    NetworkSettings.Networks{}.DNSNames:array|null`,
  image: `
    Id:string RepoTags:array RepoDigests:array Parent:string Comment:string Created:string? Container:string?
    ContainerConfig:object|null? DockerVersion:string Author:string Config:object Architecture:string
    Variant:string? Os:string OsVersion:string? Size:number VirtualSize:number? GraphDriver:object RootFS:object
    Metadata:object Descriptor:object|null? Manifests:array|null?
    Config.User:string Config.ExposedPorts:object|null? Config.Env:array|null Config.Cmd:array|null
    Config.Healthcheck:object|null? Config.ArgsEscaped:boolean? Config.Volumes:object|null
    Config.WorkingDir:string Config.Entrypoint:array|null Config.OnBuild:array|null Config.Labels:object|null
    Config.StopSignal:string? Config.Shell:array|null? Config.Hostname:string? Config.Tty:boolean?
    GraphDriver.Data:object|null GraphDriver.Name:string RootFS.Type:string RootFS.Layers:array
    Metadata.LastTagTime:string Descriptor.mediaType:string Descriptor.digest:string Descriptor.size:number`,
  volume: `
    ClusterVolume:object|null? CreatedAt:string Driver:string Labels:object|null Mountpoint:string Name:string
    Options:object|null Scope:string Status:object|null? UsageData:object|null?`,
  network: `
    Name:string Id:string Created:string Scope:string Driver:string EnableIPv4:boolean EnableIPv6:boolean
    IPAM:object IPAM.Driver:string IPAM.Options:object|null IPAM.Config:array IPAM.Config[].Subnet:string
    Internal:boolean Attachable:boolean Ingress:boolean ConfigFrom:object ConfigFrom.Network:string
    ConfigOnly:boolean Containers:object Options:object Labels:object Peers:array|null? Services:object|null?`,
  info: `
    ID:string Containers:number ContainersRunning:number ContainersPaused:number ContainersStopped:number
    Images:number Driver:string DriverStatus:array|null Plugins:object Plugins.Volume:array Plugins.Network:array
    Plugins.Authorization:array|null Plugins.Log:array MemoryLimit:boolean SwapLimit:boolean
    CpuCfsPeriod:boolean CpuCfsQuota:boolean CPUShares:boolean CPUSet:boolean PidsLimit:boolean
    IPv4Forwarding:boolean Debug:boolean NFd:number OomKillDisable:boolean NGoroutines:number SystemTime:string
    LoggingDriver:string CgroupDriver:string CgroupVersion:string? NEventsListener:number KernelVersion:string
    OperatingSystem:string OSVersion:string OSType:string Architecture:string IndexServerAddress:string
    RegistryConfig:object|null NCPU:number MemTotal:number GenericResources:array|null DockerRootDir:string
    HttpProxy:string HttpsProxy:string NoProxy:string Name:string Labels:array ExperimentalBuild:boolean
    ServerVersion:string Runtimes:object Runtimes{}.path:string DefaultRuntime:string Swarm:object
    Swarm.NodeID:string Swarm.NodeAddr:string Swarm.LocalNodeState:string Swarm.ControlAvailable:boolean
    Swarm.Error:string Swarm.RemoteManagers:array|null LiveRestoreEnabled:boolean Isolation:string
    InitBinary:string ContainerdCommit:object ContainerdCommit.ID:string RuncCommit:object InitCommit:object
    SecurityOptions:array ProductLicense:string? DefaultAddressPools:array|null? FirewallBackend:object|null?
    CDISpecDirs:array|null DiscoveredDevices:array|null? Containerd:object|null? Warnings:array|null
    ClientInfo:object ClientInfo.Version:string ClientInfo.Context:string ClientInfo.Plugins:array|null`,
  version: `
    Client:object Client.Version:string Client.ApiVersion:string? Client.GitCommit:string?
    Client.GoVersion:string? Client.Os:string Client.Arch:string Client.BuildTime:string? Client.Context:string
    Server:object Server.Platform:object Server.Platform.Name:string Server.Version:string
    Server.ApiVersion:string Server.MinAPIVersion:string? Server.Os:string Server.Arch:string
    Server.Components:array Server.Components[].Name:string Server.Components[].Version:string
    Server.GitCommit:string? Server.GoVersion:string? Server.KernelVersion:string? Server.Experimental:boolean?
    Server.BuildTime:string?`,
} as const;

/** A field of a table, as it is to be looked for. */
export interface ApiField {
  readonly path: string;
  readonly types: readonly string[];
  readonly mayBeLeftOut: boolean;
}

export function apiFields(kind: keyof typeof ENGINE_API): readonly ApiField[] {
  return ENGINE_API[kind]
    .trim()
    .split(/\s+/)
    .map((entry) => {
      const [path = '', types = ''] = entry.split(':');
      const mayBeLeftOut = types.endsWith('?');
      return { path, types: types.replace('?', '').split('|'), mayBeLeftOut };
    });
}

/** The template that prints a field as JSON: of the first item or value where it lies in a list or map. */
export function fieldTemplate(path: string): string {
  const match = /^(.*?)(\[\]|\{\})\.(.*)$/.exec(path);
  if (match === null) return `{{json .${path}}}`;
  const [, container, , field] = match;
  return `{{range .${container}}}{{json .${field}}}\n{{end}}`;
}

/** JSON's word for the type of a value. */
export function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** All values that are at the path in JSON; `undefined` where one is left out. */
export function valuesAt(value: unknown, path: string): readonly unknown[] {
  const steps = path.replaceAll('[]', '.*').replaceAll('{}', '.*').split('.');
  return steps.reduce<readonly unknown[]>(
    (found, step) =>
      found.flatMap((each) =>
        step === '*' ? Object.values(each as object) : [(each as Readonly<Record<string, unknown>>)[step]],
      ),
    [value],
  );
}
