import type { FlagTable } from '../../options/flag-table.ts';

const NAMESPACE = 'leave it out: each container has a namespace of its own';
const DISK_TRAFFIC = 'leave it out: disk traffic is not limited';
const HEALTH = 'look at it from outside, such as with ocits exec';
const ADDRESS = 'leave it out, and ask for the address with: ocits inspect';
const CPUS = 'use --cpus';
const WINDOWS = 'leave it out: it is for Windows';
/** What a script passes on where nothing is set. */
const NOTHING = ['0', ''];

/** Docker's flags of `create` and `run` that are not there yet, with what to do instead. */
export const MISSING_CREATE_FLAGS = {
  attach: { form: 'many', char: 'a', missing: 'run it in the foreground, or follow it with: ocits logs -f' },
  'blkio-weight': { form: 'one', missing: DISK_TRAFFIC, harmless: NOTHING },
  'blkio-weight-device': { form: 'many', missing: DISK_TRAFFIC },
  'cgroup-parent': {
    form: 'one',
    missing: 'leave it out: each container has a cgroup of its own',
    harmless: [''],
  },
  cgroupns: { form: 'one', missing: NAMESPACE, harmless: ['private', ''] },
  'cpu-count': { form: 'one', missing: WINDOWS, harmless: NOTHING },
  'cpu-percent': { form: 'one', missing: WINDOWS, harmless: NOTHING },
  'cpu-period': { form: 'one', missing: CPUS, harmless: NOTHING },
  'cpu-quota': { form: 'one', missing: CPUS, harmless: NOTHING },
  'cpu-rt-period': { form: 'one', missing: CPUS, harmless: NOTHING },
  'cpu-rt-runtime': { form: 'one', missing: CPUS, harmless: NOTHING },
  'detach-keys': {
    form: 'one',
    missing: 'start it with --detach, and follow it with: ocits logs -f',
    harmless: [''],
  },
  'device-cgroup-rule': { form: 'many', missing: 'give the device itself with --device' },
  'device-read-bps': { form: 'many', missing: DISK_TRAFFIC },
  'device-read-iops': { form: 'many', missing: DISK_TRAFFIC },
  'device-write-bps': { form: 'many', missing: DISK_TRAFFIC },
  'device-write-iops': { form: 'many', missing: DISK_TRAFFIC },
  domainname: { form: 'one', missing: 'give the whole name with --hostname', harmless: [''] },
  gpus: { form: 'one', missing: 'give the devices with --device' },
  'group-add': { form: 'many', missing: 'give the group with --user USER:GROUP' },
  'health-cmd': { form: 'one', missing: HEALTH },
  'health-interval': { form: 'one', missing: HEALTH },
  'health-retries': { form: 'one', missing: HEALTH },
  'health-start-interval': { form: 'one', missing: HEALTH },
  'health-start-period': { form: 'one', missing: HEALTH },
  'health-timeout': { form: 'one', missing: HEALTH },
  ip: { form: 'one', missing: ADDRESS },
  ip6: { form: 'one', missing: ADDRESS },
  'io-maxbandwidth': { form: 'one', missing: WINDOWS, harmless: NOTHING },
  'io-maxiops': { form: 'one', missing: WINDOWS, harmless: NOTHING },
  ipc: { form: 'one', missing: NAMESPACE, harmless: ['private', ''] },
  isolation: { form: 'one', missing: WINDOWS, harmless: ['default', ''] },
  'kernel-memory': { form: 'one', missing: 'use --memory', harmless: NOTHING },
  link: { form: 'many', missing: 'name the other container with --add-host NAME:ADDRESS' },
  'link-local-ip': { form: 'many', missing: ADDRESS },
  // Docker's own default: its log, too, is read by logs.
  'log-driver': {
    form: 'one',
    missing: 'leave it out, and read the log with: ocits logs',
    harmless: ['json-file', 'local', ''],
  },
  'log-opt': { form: 'many', missing: 'leave it out, and read the log with: ocits logs' },
  'mac-address': { form: 'one', missing: ADDRESS },
  'memory-swappiness': { form: 'one', missing: 'use --memory-swap', harmless: ['-1', ''] },
  'network-alias': {
    form: 'many',
    aliases: ['net-alias'],
    missing: 'name the container to others with their --add-host NAME:ADDRESS',
  },
  'oom-kill-disable': { form: 'switch', missing: 'give more --memory, or use --oom-score-adj' },
  pid: { form: 'one', missing: NAMESPACE, harmless: [''] },
  restart: {
    form: 'one',
    missing: 'let a service manager such as systemd start it again',
    harmless: ['no', ''],
  },
  // Docker's name of its default is what scripts give.
  runtime: { form: 'one', missing: 'leave it out: containers run in crun', harmless: ['runc', 'crun', ''] },
  'storage-opt': { form: 'many', missing: 'bound what a folder may hold with --tmpfs /FOLDER:size=1g' },
  'use-api-socket': {
    form: 'switch',
    missing: 'leave it out: there is no daemon whose socket could be given',
  },
  userns: { form: 'one', missing: NAMESPACE, harmless: ['host', ''] },
  uts: { form: 'one', missing: NAMESPACE, harmless: [''] },
  'volume-driver': {
    form: 'one',
    missing: 'leave it out: volumes are folders of this host',
    harmless: ['local', ''],
  },
  'volumes-from': { form: 'many', missing: 'name each volume with --volume' },
} as const satisfies FlagTable;
