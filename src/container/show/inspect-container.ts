import { join } from 'node:path';
import type { Engine } from '../../engine.ts';
import { hasOwnSandbox } from '../../network/choice.ts';
import { splitPair } from '../../options/pair.ts';
import { LOG_FILE } from '../../runtime/conmon/conmon-folder.ts';
import { containerFolder } from '../record/folder.ts';
import type { ContainerRecord } from '../record/record.ts';
import { containerSize } from '../record/size.ts';
import { type ContainerState, containerState } from '../record/state.ts';
import { hostnameOf } from '../start/etc.ts';
import { hostConfig } from './inspect-host-config.ts';
import { inspectedNetworks, inspectMounts } from './inspect-parts.ts';

type Inspected = Readonly<Record<string, unknown>>;

/** Docker's word for a time that never came. */
const NEVER = '0001-01-01T00:00:00Z';

/** What `docker container inspect` prints of a container, in Docker's names and order. `size`: with what its files hold. */
export async function inspectContainer(
  engine: Engine,
  record: ContainerRecord,
  options: { readonly size?: boolean | undefined } = {},
): Promise<Inspected> {
  const state = containerState(engine.paths, record.id);
  const files = containerFolder(engine.paths, record.id);
  const sandbox =
    state.status === 'running' && hasOwnSandbox(record.network)
      ? await (await engine.network()).find(record.id)
      : undefined;
  const [path, ...args] = record.process.args;
  const size = options.size ? await containerSize(engine, record) : undefined;
  return {
    Id: record.id,
    Created: record.createdAt,
    Path: path ?? '',
    Args: args,
    State: inspectState(state, record.damage),
    Image: record.image.id,
    ResolvConfPath: join(files.etc, 'resolv.conf'),
    HostnamePath: join(files.etc, 'hostname'),
    HostsPath: join(files.etc, 'hosts'),
    LogPath: join(files.folder, LOG_FILE),
    Name: `/${record.name}`,
    RestartCount: 0,
    Driver: (await engine.snapshotter()).name,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: null,
    HostConfig: hostConfig(record),
    GraphDriver: { Data: null, Name: (await engine.snapshotter()).name },
    SizeRw: size?.writtenBytes,
    SizeRootFs: size?.totalBytes,
    Mounts: inspectMounts(record),
    Config: inspectConfig(record),
    NetworkSettings: inspectedNetworks(record, sandbox),
    ImageManifestDescriptor: record.image.manifest,
  };
}

function inspectState(state: ContainerState, damage: string | undefined): Inspected {
  return {
    Status: state.status,
    Running: state.status === 'running',
    Paused: false,
    Restarting: false,
    OOMKilled: state.oomKilled,
    Dead: false,
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: damage ?? state.error ?? '',
    StartedAt: state.startedAt?.toISOString() ?? NEVER,
    FinishedAt: state.finishedAt?.toISOString() ?? NEVER,
  };
}

function inspectConfig(record: ContainerRecord): Inspected {
  const { process, image, network } = record;
  const volumes = record.mounts.filter((mount) => mount.kind === 'volume' && mount.anonymous);
  return {
    Hostname: hostnameOf(record),
    Domainname: '',
    User: process.user,
    AttachStdin: process.openStdin && record.lifetime.attached,
    AttachStdout: record.lifetime.attached,
    AttachStderr: record.lifetime.attached,
    ExposedPorts: emptyObjects(network.exposed),
    Tty: process.terminal,
    OpenStdin: process.openStdin,
    StdinOnce: process.openStdin && record.lifetime.attached,
    Env: mergedEnv(process.imageEnv, process.userEnv),
    Cmd: image.command.length === 0 ? null : image.command,
    Image: image.name,
    Volumes: volumes.length === 0 ? null : emptyObjects(volumes.map(({ target }) => target)),
    WorkingDir: process.workdir,
    Entrypoint: image.entrypoint.length === 0 ? null : image.entrypoint,
    OnBuild: null,
    Labels: record.labels,
    StopSignal: process.stopSignal,
    StopTimeout: process.stopTimeoutSeconds,
  };
}

/** What is set for the process, without what every process gets besides. */
function mergedEnv(image: readonly string[], user: readonly string[]): string[] {
  const variables = new Map<string, string>();
  for (const text of [...image, ...user]) {
    const [name, value] = splitPair(text);
    if (value === undefined) variables.delete(name);
    else variables.set(name, value);
  }
  return Array.from(variables, ([name, value]) => `${name}=${value}`);
}

function emptyObjects(keys: readonly string[]): Readonly<Record<string, object>> {
  return Object.fromEntries(keys.map((key) => [key, {}]));
}
