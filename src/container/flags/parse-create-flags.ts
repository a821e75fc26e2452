import { resolve } from 'node:path';
import type { ResourceLimits, SecurityOptions } from '../../bundle/container-spec.ts';
import { OcitsError } from '../../errors.ts';
import { parsePlatform } from '../../oci/platform.ts';
import { parseMountFlag } from '../../options/mounts/mount-flag.ts';
import type { MountRequest } from '../../options/mounts/mount-request.ts';
import { parseTmpfsFlag } from '../../options/mounts/tmpfs-flag.ts';
import { parseVolumeFlag } from '../../options/mounts/volume-flag.ts';
import { parseSignal } from '../../runtime/crun/send-signal.ts';
import type { CreateFlags, MountFlags, ProcessFlags, ResourceFlags, SecurityFlags } from './create-flags.ts';
import type { CreateRequest, HostOptions, ProcessRequest } from './create-request.ts';
import { parseEnvFile, parseEnvFlags } from './env-file.ts';
import { parseNetworkFlags } from './parse-network-flags.ts';
import { readByteSize, readDecimal, readDevice, readInteger, readPairs, readUlimit } from './parse-values.ts';

/** What the text of flags depends on besides. */
export interface FlagSurroundings {
  /** For relative paths. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly readFile: (path: string) => string;
}

/**
 * What `create` and `run` are asked for, from their flags, the image and the command behind it. Throws
 * `invalid-argument`, `syntax` or `unsupported`, naming the flag and quoting the fault.
 */
export function parseCreateFlags(
  flags: CreateFlags,
  [image, ...command]: readonly [string, ...string[]],
  surroundings: FlagSurroundings,
): CreateRequest {
  const fileLabels = (flags['label-file'] ?? []).flatMap((file) => labelLines(surroundings.readFile(file)));
  return {
    image,
    ...(flags.platform === undefined ? {} : { platform: parsePlatform(flags.platform) }),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    labels: { ...readPairs(fileLabels, '--label-file'), ...readPairs(flags.label ?? [], '--label') },
    annotations: readPairs(flags.annotation ?? [], '--annotation'),
    process: parseProcess(flags, command, surroundings),
    network: parseNetworkFlags(flags),
    mounts: parseMounts(flags, surroundings.folder),
    host: parseHost(flags, surroundings),
    autoRemove: flags.rm ?? false,
  };
}

function labelLines(content: string): string[] {
  return content
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function parseProcess(
  flags: ProcessFlags,
  command: readonly string[],
  { env, readFile }: FlagSurroundings,
): ProcessRequest {
  const { entrypoint, workdir, user } = flags;
  const stopSignal = flags['stop-signal'];
  const stopTimeout = flags['stop-timeout'];
  if (stopSignal !== undefined) parseSignal(stopSignal);
  const fromFiles = (flags['env-file'] ?? []).flatMap((file) => parseEnvFile(readFile(file), file, env));
  return {
    command,
    env: [...fromFiles, ...parseEnvFlags(flags.env ?? [], env)],
    ...(entrypoint === undefined ? {} : { entrypoint: entrypoint === '' ? [] : [entrypoint] }),
    ...(workdir === undefined ? {} : { workdir }),
    ...(user === undefined ? {} : { user }),
    terminal: flags.tty ?? false,
    openStdin: flags.interactive ?? false,
    ...(stopSignal === undefined ? {} : { stopSignal }),
    ...(stopTimeout === undefined ? {} : { stopTimeoutSeconds: readInteger(stopTimeout, '--stop-timeout') }),
    rlimits: (flags.ulimit ?? []).map(readUlimit),
  };
}

function parseMounts(flags: MountFlags, folder: string): MountRequest[] {
  return [
    ...(flags.volume ?? []).map((text) => parseVolumeFlag(text, folder)),
    ...(flags.mount ?? []).map(parseMountFlag),
    ...(flags.tmpfs ?? []).map(parseTmpfsFlag),
  ];
}

function parseHost(flags: ResourceFlags & SecurityFlags, { folder }: FlagSurroundings): HostOptions {
  return {
    resources: parseResources(flags),
    devices: (flags.device ?? []).map(readDevice),
    security: parseSecurity(flags, folder),
    sysctls: readPairs(flags.sysctl ?? [], '--sysctl'),
    init: flags.init ?? false,
  };
}

function parseResources(flags: ResourceFlags): ResourceLimits {
  const read = <T>(flag: keyof ResourceFlags, parse: (text: string, flag: string) => T): T | undefined => {
    const text = flags[flag];
    return text === undefined ? undefined : parse(text, `--${flag}`);
  };
  const plain = (text: string) => text;
  const all = {
    memoryBytes: read('memory', readByteSize),
    memorySwapBytes: read('memory-swap', (text, flag) => (text === '-1' ? -1 : readByteSize(text, flag))),
    memoryReservationBytes: read('memory-reservation', readByteSize),
    cpus: read('cpus', readDecimal),
    cpuShares: read('cpu-shares', readInteger),
    cpusetCpus: read('cpuset-cpus', plain),
    cpusetMems: read('cpuset-mems', plain),
    pidsLimit: read('pids-limit', readInteger),
    shmSizeBytes: read('shm-size', readByteSize),
    oomScoreAdj: read('oom-score-adj', readInteger),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function parseSecurity(flags: SecurityFlags, folder: string): SecurityOptions {
  const options = { noNewPrivileges: false, seccomp: 'default' };
  for (const text of flags['security-opt'] ?? []) {
    const [, key = '', value = ''] = /^([^=:]*)[=:]?(.*)$/s.exec(text) ?? [];
    if (key === 'no-new-privileges') options.noNewPrivileges = value !== 'false';
    else if (key === 'seccomp') options.seccomp = seccompProfile(value, folder);
    else if (!IGNORED_SECURITY.includes(text.replace(':', '='))) {
      throw new OcitsError('unsupported', `--security-opt ${text} is not there yet`);
    }
  }
  return {
    privileged: flags.privileged ?? false,
    capAdd: flags['cap-add'] ?? [],
    capDrop: flags['cap-drop'] ?? [],
    readOnlyRootfs: flags['read-only'] ?? false,
    ...options,
  };
}

/** They switch off what containers here do not have. */
const IGNORED_SECURITY: readonly string[] = ['apparmor=unconfined', 'label=disable'];

function seccompProfile(value: string, folder: string): string {
  if (value === '' || value === 'builtin' || value === 'default') return 'default';
  return value === 'unconfined' ? value : resolve(folder, value);
}
