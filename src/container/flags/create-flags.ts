/**
 * The room of the flags of `create` and `run`: one table, from which help, completion, the command line and the types
 * of the library come, and the request that their values make. The commands and `library` call it; `create` and
 * `record` have the request's types from it. It checks the form of values and looks nothing up: no image, no volume,
 * no file but those that flags name.
 *
 *     const request = parseCreateFlags({ memory: '512m', publish: ['8080:80'] }, ['app:1', 'serve'], surroundings);
 */

import type { FlagTable, FlagTexts, FlagValues } from '../../options/flag-table.ts';
import {
  byteSize,
  byteSizeOrUnlimited,
  decimal,
  device,
  integer,
  PLATFORM_VARIABLE,
  pair,
  platform,
  ulimit,
} from '../../options/kinds.ts';
import {
  containerName,
  environmentFile,
  environmentVariable,
  extraHost,
  fieldMount,
  hostName,
  labelFile,
  nameServer,
  networkName,
  numberSet,
  oomScore,
  portPublish,
  portRange,
  programList,
  securityChange,
  signalName,
  sysctl,
  tmpfsMount,
  volumeMount,
} from './create-kinds.ts';

/*
 * The flags of `create` and `run` that a container is made of, in groups, each of which is one part of the request.
 * A new flag is one entry here; by `as` its value gets its name in the request.
 */

const IDENTITY_FLAGS = {
  name: { form: 'one', kind: containerName, mayBeEmpty: true, description: 'name of the container' },
  platform: {
    form: 'one',
    kind: platform,
    mayBeEmpty: true,
    environment: PLATFORM_VARIABLE,
    description: 'platform in os/arch[/variant] form, such as linux/arm64',
  },
  label: { form: 'many', char: 'l', kind: pair, description: 'set a label: name=value' },
  'label-file': { form: 'many', kind: labelFile, names: ['files'], description: 'read labels from a file' },
  annotation: { form: 'many', kind: pair, description: 'set an OCI annotation: name=value' },
  rm: { form: 'switch', description: 'remove the container when it has ended' },
} as const satisfies FlagTable;

export const PROCESS_FLAGS = {
  entrypoint: { form: 'one', kind: programList, description: "instead of the image's entrypoint" },
  env: {
    form: 'many',
    char: 'e',
    kind: environmentVariable,
    description: 'set an environment variable: NAME=value',
  },
  'env-file': {
    form: 'many',
    kind: environmentFile,
    names: ['files'],
    description: 'read environment variables from a file',
  },
  workdir: { form: 'one', char: 'w', description: 'working directory in the container' },
  user: { form: 'one', char: 'u', description: 'user: name or ID, with :group' },
  tty: { form: 'switch', char: 't', as: 'terminal', description: 'give the container a terminal' },
  interactive: { form: 'switch', char: 'i', as: 'openStdin', description: 'keep standard input open' },
  'stop-signal': {
    form: 'one',
    kind: signalName,
    mayBeEmpty: true,
    as: 'stopSignal',
    description: 'signal that stops the container',
  },
  'stop-timeout': {
    form: 'one',
    kind: integer,
    as: 'stopTimeoutSeconds',
    description: 'seconds until a container that is stopped is killed',
  },
  ulimit: { form: 'many', kind: ulimit, as: 'rlimits', description: 'set a limit: name=soft[:hard]' },
} as const satisfies FlagTable;

export const NETWORK_FLAGS = {
  network: {
    form: 'one',
    kind: networkName,
    names: ['networks'],
    mayBeEmpty: true,
    aliases: ['net'],
    as: 'choice',
    onlyOnce: 'a container is on one network for now',
    description: 'network: bridge, host or none',
  },
  hostname: {
    form: 'one',
    char: 'h',
    kind: hostName,
    mayBeEmpty: true,
    description: 'host name of the container',
  },
  publish: {
    form: 'many',
    char: 'p',
    kind: portPublish,
    description: 'publish a port: [[ip:]hostPort:]containerPort[/protocol]',
  },
  'publish-all': {
    form: 'switch',
    char: 'P',
    as: 'publishAll',
    description: 'publish all exposed ports on ports that are free',
  },
  expose: { form: 'many', kind: portRange, description: 'expose a port or a range of ports' },
  dns: { form: 'many', kind: nameServer, description: 'name server of the container' },
  'dns-search': { form: 'many', description: 'search domain of the container' },
  'dns-option': { form: 'many', aliases: ['dns-opt'], description: 'option of the resolver' },
  'add-host': { form: 'many', kind: extraHost, description: 'add a line to /etc/hosts: name:address' },
} as const satisfies FlagTable;

const MOUNT_FLAGS = {
  volume: {
    form: 'many',
    char: 'v',
    kind: volumeMount,
    names: ['volumes', 'files'],
    description: 'mount a volume or a folder: [source:]target[:options]',
  },
  mount: {
    form: 'many',
    kind: fieldMount,
    description: 'mount as key=value pairs: type, source, target, readonly, …',
  },
  tmpfs: { form: 'many', kind: tmpfsMount, description: 'mount a tmpfs: target[:options]' },
} as const satisfies FlagTable;

export const RESOURCE_FLAGS = {
  memory: {
    form: 'one',
    char: 'm',
    kind: byteSize,
    as: 'memoryBytes',
    description: 'memory limit, such as 512m',
  },
  'memory-swap': {
    form: 'one',
    kind: byteSizeOrUnlimited,
    as: 'memorySwapBytes',
    description: 'limit of memory and swap together; -1 is unlimited',
  },
  'memory-reservation': {
    form: 'one',
    kind: byteSize,
    as: 'memoryReservationBytes',
    description: 'soft memory limit',
  },
  cpus: { form: 'one', kind: decimal, description: 'number of processors, such as 1.5' },
  'cpu-shares': {
    form: 'one',
    char: 'c',
    kind: integer,
    as: 'cpuShares',
    description: 'relative weight of the processors',
  },
  'cpuset-cpus': {
    form: 'one',
    kind: numberSet,
    as: 'cpusetCpus',
    description: 'processors to use, such as 0-3',
  },
  'cpuset-mems': { form: 'one', kind: numberSet, as: 'cpusetMems', description: 'memory nodes to use' },
  'pids-limit': {
    form: 'one',
    kind: integer,
    as: 'pidsLimit',
    description: 'greatest number of processes; -1 is unlimited',
  },
  'shm-size': { form: 'one', kind: byteSize, as: 'shmSizeBytes', description: 'size of /dev/shm' },
  'oom-score-adj': {
    form: 'one',
    kind: oomScore,
    as: 'oomScoreAdj',
    description: "the kernel's preference when memory runs out, -1000 to 1000",
  },
} as const satisfies FlagTable;

export const SECURITY_FLAGS = {
  privileged: { form: 'switch', description: 'give the container all capabilities and devices' },
  'read-only': {
    form: 'switch',
    as: 'readOnlyRootfs',
    description: 'mount the root filesystem read-only',
  },
  'cap-add': { form: 'many', as: 'capAdd', description: 'add a capability' },
  'cap-drop': { form: 'many', as: 'capDrop', description: 'take a capability away' },
} as const satisfies FlagTable;

const HOST_FLAGS = {
  'security-opt': {
    form: 'many',
    kind: securityChange,
    description: 'no-new-privileges, or seccomp=unconfined|FILE',
  },
  device: {
    form: 'many',
    kind: device,
    names: ['files'],
    description: 'give a device of the host: /dev/x[:/dev/y][:rwm]',
  },
  sysctl: { form: 'many', kind: sysctl, description: 'set a kernel parameter: name=value' },
  init: { form: 'switch', description: 'run an init program that forwards signals and reaps processes' },
} as const satisfies FlagTable;

/** All of them. */
export const CREATE_FLAGS = {
  ...IDENTITY_FLAGS,
  ...PROCESS_FLAGS,
  ...NETWORK_FLAGS,
  ...MOUNT_FLAGS,
  ...RESOURCE_FLAGS,
  ...SECURITY_FLAGS,
  ...HOST_FLAGS,
};

/** The flags of `create` and `run` by Docker's names, as their text. */
export type CreateFlags = FlagTexts<typeof CREATE_FLAGS>;

/** The same with their values read. */
export type CreateValues = FlagValues<typeof CREATE_FLAGS>;
