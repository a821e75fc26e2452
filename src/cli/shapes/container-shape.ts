import { HOST_CONFIG, PORT_MAP } from './host-config-shape.ts';
import { COMMAND_FIELDS, DESCRIPTOR, DRIVER_DATA, PLACE_FIELDS } from './image-shape.ts';
import { listOf, mapOf, pointerTo, type Shape, struct } from './shape.ts';

const STATE = struct({
  Status: 'string',
  Running: 'boolean',
  Paused: 'boolean',
  Restarting: 'boolean',
  OOMKilled: 'boolean',
  Dead: 'boolean',
  Pid: 'number',
  ExitCode: 'number',
  Error: 'string',
  StartedAt: 'string',
  FinishedAt: 'string',
  'Health?': pointerTo(
    struct({
      Status: 'string',
      FailingStreak: 'number',
      Log: listOf(struct({ Start: 'time', End: 'time', ExitCode: 'number', Output: 'string' })),
    }),
  ),
});

/** `ContainerConfig` of the Engine API. */
const CONFIG = struct({
  Hostname: 'string',
  Domainname: 'string',
  User: 'string',
  AttachStdin: 'boolean',
  AttachStdout: 'boolean',
  AttachStderr: 'boolean',
  'ExposedPorts?': mapOf(struct({})),
  Tty: 'boolean',
  OpenStdin: 'boolean',
  StdinOnce: 'boolean',
  ...COMMAND_FIELDS,
  Image: 'string',
  ...PLACE_FIELDS,
});

const MOUNT_POINT = struct({
  'Type?': 'string',
  'Name?': 'string',
  Source: 'string',
  Destination: 'string',
  'Driver?': 'string',
  Mode: 'string',
  RW: 'boolean',
  Propagation: 'string',
});

const ADDRESSES = listOf(struct({ Addr: 'string', PrefixLen: 'number' }));

/** What a container has on one network, and on its first one, where Docker has it too until v1.51. */
const ENDPOINT: Readonly<Record<string, Shape>> = {
  EndpointID: 'string',
  Gateway: 'string',
  GlobalIPv6Address: 'string',
  GlobalIPv6PrefixLen: 'number',
  IPAddress: 'string',
  IPPrefixLen: 'number',
  IPv6Gateway: 'string',
  MacAddress: 'string',
};

const ENDPOINT_SETTINGS = struct({
  IPAMConfig: pointerTo(
    struct({ 'IPv4Address?': 'string', 'IPv6Address?': 'string', 'LinkLocalIPs?': listOf('string') }),
  ),
  Links: listOf('string'),
  Aliases: listOf('string'),
  DriverOpts: mapOf('string'),
  GwPriority: 'number',
  NetworkID: 'string',
  ...ENDPOINT,
  DNSNames: listOf('string'),
});

const NETWORK_SETTINGS = struct({
  Bridge: 'string',
  SandboxID: 'string',
  SandboxKey: 'string',
  Ports: PORT_MAP,
  HairpinMode: 'boolean',
  LinkLocalIPv6Address: 'string',
  LinkLocalIPv6PrefixLen: 'number',
  SecondaryIPAddresses: ADDRESSES,
  SecondaryIPv6Addresses: ADDRESSES,
  ...ENDPOINT,
  Networks: mapOf(pointerTo(ENDPOINT_SETTINGS)),
});

/** `ContainerInspectResponse` of the Engine API. */
export const CONTAINER = struct(
  {
    Id: 'string',
    Created: 'string',
    Path: 'string',
    Args: listOf('string'),
    State: pointerTo(STATE),
    Image: 'string',
    ResolvConfPath: 'string',
    HostnamePath: 'string',
    HostsPath: 'string',
    LogPath: 'string',
    Name: 'string',
    RestartCount: 'number',
    Driver: 'string',
    Platform: 'string',
    MountLabel: 'string',
    ProcessLabel: 'string',
    AppArmorProfile: 'string',
    ExecIDs: listOf('string'),
    HostConfig: pointerTo(HOST_CONFIG),
    GraphDriver: DRIVER_DATA,
    'Storage?': pointerTo('any'),
    'SizeRw?': pointerTo('number'),
    'SizeRootFs?': pointerTo('number'),
    Mounts: listOf(MOUNT_POINT),
    Config: pointerTo(CONFIG),
    NetworkSettings: pointerTo(NETWORK_SETTINGS),
    'ImageManifestDescriptor?': pointerTo(DESCRIPTOR),
  },
  { ID: 'Id' },
);
