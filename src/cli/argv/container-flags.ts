import { choice, list, platformFlag, text, toggle } from './flags.ts';
import { missingFlags } from './missing-flags.ts';

/** The flags of `create` and `run` that the container is made of: read by `parseCreateFlags`. */
export const createFlags = {
  name: text({ description: 'name of the container' }),
  platform: platformFlag,
  label: list({ char: 'l', description: 'set a label: name=value' }),
  'label-file': list({ description: 'read labels from a file' }),
  annotation: list({ description: 'set an OCI annotation: name=value' }),
  rm: toggle({ description: 'remove the container when it has ended' }),
  entrypoint: text({ description: "instead of the image's entrypoint" }),
  env: list({ char: 'e', description: 'set an environment variable: NAME=value' }),
  'env-file': list({ description: 'read environment variables from a file' }),
  workdir: text({ char: 'w', description: 'working directory in the container' }),
  user: text({ char: 'u', description: 'user: name or ID, with :group' }),
  tty: toggle({ char: 't', description: 'give the container a terminal' }),
  interactive: toggle({ char: 'i', description: 'keep standard input open' }),
  'stop-signal': text({ description: 'signal that stops the container' }),
  'stop-timeout': text({ description: 'seconds until a container that is stopped is killed' }),
  ulimit: list({ description: 'set a limit: name=soft[:hard]' }),
  network: text({ description: 'network: bridge, host or none', aliases: ['net'] }),
  hostname: text({ char: 'h', description: 'host name of the container' }),
  publish: list({ char: 'p', description: 'publish a port: [[ip:]hostPort:]containerPort[/protocol]' }),
  'publish-all': toggle({ char: 'P', description: 'publish all exposed ports on ports that are free' }),
  expose: list({ description: 'expose a port or a range of ports' }),
  dns: list({ description: 'name server of the container' }),
  'dns-search': list({ description: 'search domain of the container' }),
  'dns-option': list({ description: 'option of the resolver', aliases: ['dns-opt'] }),
  'add-host': list({ description: 'add a line to /etc/hosts: name:address' }),
  volume: list({ char: 'v', description: 'mount a volume or a folder: [source:]target[:options]' }),
  mount: list({ description: 'mount as key=value pairs: type, source, target, readonly, …' }),
  tmpfs: list({ description: 'mount a tmpfs: target[:options]' }),
  memory: text({ char: 'm', description: 'memory limit, such as 512m' }),
  'memory-swap': text({ description: 'limit of memory and swap together; -1 is unlimited' }),
  'memory-reservation': text({ description: 'soft memory limit' }),
  cpus: text({ description: 'number of processors, such as 1.5' }),
  'cpu-shares': text({ char: 'c', description: 'relative weight of the processors' }),
  'cpuset-cpus': text({ description: 'processors to use, such as 0-3' }),
  'cpuset-mems': text({ description: 'memory nodes to use' }),
  'pids-limit': text({ description: 'greatest number of processes; -1 is unlimited' }),
  'shm-size': text({ description: 'size of /dev/shm' }),
  'oom-score-adj': text({ description: "the kernel's preference when memory runs out, -1000 to 1000" }),
  privileged: toggle({ description: 'give the container all capabilities and devices' }),
  'read-only': toggle({ description: 'mount the root filesystem read-only' }),
  'cap-add': list({ description: 'add a capability' }),
  'cap-drop': list({ description: 'take a capability away' }),
  'security-opt': list({ description: 'no-new-privileges, or seccomp=unconfined|FILE' }),
  device: list({ description: 'give a device of the host: /dev/x[:/dev/y][:rwm]' }),
  sysctl: list({ description: 'set a kernel parameter: name=value' }),
  init: toggle({ description: 'run an init program that forwards signals and reaps processes' }),
};

/** The flags of `create` and `run` that are about the command itself. */
export const pullFlags = {
  pull: choice({ description: 'pull the image before', options: ['always', 'missing', 'never'] }),
  quiet: toggle({ char: 'q', description: 'print no progress of a pull' }),
  cidfile: text({ description: "write the container's ID to a file" }),
};

/** The flags of `stop` and `restart`. */
export const stopFlags = {
  timeout: text({
    char: 't',
    description: 'seconds until it is killed; -1 waits for ever',
    aliases: ['time'],
  }),
  signal: text({ char: 's', description: "signal to send instead of the container's own" }),
};

/** Docker's flags of `create` and `run` that are not there yet. */
export const missingCreateFlags = missingFlags({
  lists: [
    ...['attach', 'blkio-weight-device', 'device-cgroup-rule', 'device-read-bps', 'device-read-iops'],
    ...['device-write-bps', 'device-write-iops', 'group-add', 'link', 'link-local-ip', 'log-opt'],
    ...['network-alias', 'storage-opt', 'volumes-from'],
  ],
  texts: [
    ...['blkio-weight', 'cgroup-parent', 'cgroupns', 'cpu-period', 'cpu-quota', 'cpu-rt-period'],
    ...['cpu-rt-runtime', 'detach-keys', 'domainname', 'gpus', 'health-cmd', 'health-interval'],
    ...['health-retries', 'health-start-period', 'health-start-interval', 'health-timeout', 'ip', 'ip6'],
    ...['ipc', 'isolation', 'kernel-memory', 'log-driver', 'mac-address', 'memory-swappiness', 'pid'],
    ...['restart', 'runtime', 'userns', 'uts', 'volume-driver'],
  ],
  toggles: ['oom-kill-disable', 'use-api-socket'],
  short: { attach: 'a' },
  harmless: {
    restart: ['no', ''],
    cgroupns: ['private', ''],
    ipc: ['private', ''],
    isolation: ['default', ''],
    userns: ['host', ''],
    pid: [''],
    uts: [''],
  },
});
