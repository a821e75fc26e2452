import { CONTAINER_TARGETS } from '../../bundle/mounts.ts';
import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { isOcitsError } from '../../errors.ts';
import { hasOwnSandbox, namespaceOf } from '../../network/choice.ts';
import type { Sandbox } from '../../network/network.ts';
import { createConmonSupervisor } from '../../runtime/conmon/conmon-supervisor.ts';
import { createDirectSupervisor } from '../../runtime/crun/direct-supervisor.ts';
import { cgroupsPath } from '../../runtime/launch/host-cgroups.ts';
import type { RunningContainer, StartRequest } from '../../runtime/supervisor.ts';
import { allSettled } from '../../system/task/all-settled.ts';
import { UndoStack } from '../../system/task/undo-stack.ts';
import { forgetStartFailure, noteStartFailure } from '../record/failed-start.ts';
import { type ContainerFolder, containerFolder } from '../record/folder.ts';
import { setLiveMark, unmarkLive } from '../record/live-marks.ts';
import type { ContainerRecord } from '../record/record.ts';
import { containerState } from '../record/state.ts';
import { hostnameOf, writeEtcFiles } from './etc.ts';
import { checkCommand } from './find-command.ts';
import { requireInit } from './init-program.ts';
import { containerUser } from './process-user.ts';
import { containerSpec } from './spec.ts';

export interface LaunchOptions extends Pick<StartRequest, 'stdio' | 'exitCommand' | 'keepStdin'> {
  readonly supervisor: 'direct' | 'conmon';
}

/**
 * Starts a container that does not run. Whoever calls holds the container's lock, or has just made it. After a failure
 * the container is as it was, and its state says why it was not started.
 */
export async function launchContainer(
  engine: Engine,
  call: Call,
  record: ContainerRecord,
  options: LaunchOptions,
): Promise<RunningContainer> {
  const { folder } = containerFolder(engine.paths, record.id);
  const { status, exitCode, oomKilled, startedAt, finishedAt } = containerState(engine.paths, record.id);
  forgetStartFailure(folder);
  try {
    return await launch(engine, call, record, options);
  } catch (error) {
    const times = { startedAt: startedAt?.toISOString(), finishedAt: finishedAt?.toISOString() };
    const before = status === 'exited' ? { ...times, oomKilled } : undefined;
    if (!isOcitsError(error, 'aborted')) noteStartFailure(folder, error, { exitCode, before });
    throw error;
  }
}

/** Network, root filesystem and user are prepared side by side, then the process is started. */
async function launch(
  engine: Engine,
  call: Call,
  record: ContainerRecord,
  options: LaunchOptions,
): Promise<RunningContainer> {
  const files = containerFolder(engine.paths, record.id);
  await using undo = new UndoStack();
  await setLiveMark(engine.paths, record.id);
  undo.defer(async () => await unmarkLive(engine.paths, record.id));
  const [sandbox, rootMounts, user] = await allSettled([
    connect(engine, call, record, undo),
    prepare(engine, record, files),
    containerUser(
      engine,
      record,
      record.process.user,
      containerState(engine.paths, record.id).status === 'created',
    ),
  ]);
  const spec = containerSpec(record, {
    rootfs: files.rootfs,
    hostname: hostnameOf(record),
    user,
    etcFiles: await writeEtcFiles(files.etc, record, sandbox),
    networkNamespace: namespaceOf(record.network, sandbox),
    cgroupsPath: cgroupsPath(record.id),
    ...(record.isolation.init ? { init: requireInit() } : {}),
  });
  await checkCommand(engine, record, spec.process);
  const { supervisor, ...rest } = options;
  const create = supervisor === 'direct' ? createDirectSupervisor : createConmonSupervisor;
  const running = await create(engine.paths).start({
    folder: files.folder,
    spec,
    rootMounts,
    signal: call.signal,
    ...rest,
  });
  undo.move();
  return running;
}

async function connect(
  engine: Engine,
  { signal }: Call,
  record: ContainerRecord,
  undo: UndoStack,
): Promise<Sandbox | undefined> {
  if (!hasOwnSandbox(record.network)) return undefined;
  const { id, name: label, network } = record;
  const networks = await engine.network();
  undo.defer(async () => await networks.teardown({ id }));
  const { endpoints, ports } = network;
  return await networks.setup({ id, endpoints, ports, label, signal });
}

async function prepare(
  engine: Engine,
  record: ContainerRecord,
  files: ContainerFolder,
): Promise<StartRequest['rootMounts']> {
  const snapshotter = await engine.snapshotter();
  const { snapshots } = record.image;
  const options = { isVolatile: record.lifetime.autoRemove };
  return (await snapshotter.prepare(files.writable, snapshots, CONTAINER_TARGETS, options)).mounts;
}
