/**
 * The room of clearing up: what a container has on the host besides its folder goes when it has ended, and what
 * killed processes have left goes when the next command looks. `start`, `end` and the commands of containers call it.
 * It never touches a container that runs, or that somebody attends to.
 *
 *     await sweepContainers(engine);
 *     await cleanupContainer(engine, id);
 */

import type { Engine } from '../../engine.ts';
import { isOcitsError } from '../../errors.ts';
import { hasOwnSandbox } from '../../network/choice.ts';
import { removeConmonFiles, removeConmonSockets } from '../../runtime/conmon/conmon-folder.ts';
import { settleExit } from '../../runtime/conmon/wait-for-exit.ts';
import { crunDelete, openCrun } from '../../runtime/crun/crun.ts';
import { allSettled } from '../../system/task/all-settled.ts';
import { withLock } from '../../system/task/lock.ts';
import { deleteContainer, readContainer } from '../record/catalog.ts';
import { containerFolder, containerLock } from '../record/folder.ts';
import { unmarkLive } from '../record/live-marks.ts';
import type { ContainerRecord } from '../record/record.ts';
import { isRestarting } from '../record/restart-mark.ts';
import { containerState, hasAttendant } from '../record/state.ts';

/**
 * What conmon's exit command runs: clears up after a container that has ended. One that removes itself, and whose command
 * still waits for its end, is left to that command, which has to see how it ended.
 */
export async function cleanupAfterConmon(engine: Engine, id: string): Promise<void> {
  const record = await readContainer(engine.paths, id);
  if (record === undefined || (record.lifetime.autoRemove && hasAttendant(record))) return;
  await cleanupContainer(engine, id);
}

/**
 * Clears up after a container that has ended. Its exit is settled. crun's record, its cgroup, its network and what
 * conmon left are removed, and with `--rm` the container itself. Does nothing to one that runs. Idempotent.
 */
export async function cleanupContainer(engine: Engine, id: string): Promise<void> {
  if ((await readContainer(engine.paths, id)) === undefined) return;
  await withLock(containerLock(engine.paths, id), { mode: 'exclusive' }, async () => {
    const record = await readContainer(engine.paths, id);
    if (record === undefined || containerState(engine.paths, id).status === 'running') return;
    await clearContainer(engine, record, { byRuntime: false });
  });
}

/**
 * The same for a container that is known to have ended. The caller holds its lock or attends to it. One that removes
 * itself stays while somebody restarts it. `byRuntime`: crun has cleared up by itself, as it does where it ran in the
 * foreground.
 */
export async function clearContainer(
  engine: Engine,
  record: ContainerRecord,
  { byRuntime }: { readonly byRuntime: boolean },
): Promise<void> {
  const { id, lifetime, network } = record;
  const [isSettled] = await allSettled([
    byRuntime ? Promise.resolve(true) : clearRuntime(engine, id),
    hasOwnSandbox(network)
      ? engine.network().then((networks) => networks.teardown({ id }))
      : Promise.resolve(),
  ]);
  const isDiscarded = lifetime.autoRemove && !(await isRestarting(engine.paths, id));
  if (isDiscarded) await discardContainer(engine, record);
  // With its mark it is looked at again, and settled when there is room.
  if (isSettled || isDiscarded) await unmarkLive(engine.paths, id);
}

/** Whether how it ended is written down for good: a full disk leaves it where conmon has said so. */
async function clearRuntime(engine: Engine, id: string): Promise<boolean> {
  const { folder } = containerFolder(engine.paths, id);
  const hasEnded = containerState(engine.paths, id).status === 'exited';
  const isSettled = !hasEnded || settleExit(folder);
  await crunDelete(await openCrun(engine.paths), id);
  if (isSettled) removeConmonFiles(engine.paths, folder);
  else removeConmonSockets(engine.paths, folder);
  return isSettled;
}

/** Removes a cleared container with its anonymous volumes. */
async function discardContainer(engine: Engine, record: ContainerRecord): Promise<void> {
  await discardFiles(engine, record);
  await removeAnonymousVolumes(engine, record);
}

/** Removes a cleared container, and what was left of its end. */
export async function discardFiles(engine: Engine, record: ContainerRecord): Promise<void> {
  removeConmonFiles(engine.paths, containerFolder(engine.paths, record.id).folder);
  await deleteContainer(engine.paths, record);
}

/** Removes the volumes that were made for this container alone. Those that are gone are no error. */
export async function removeAnonymousVolumes(engine: Engine, { mounts }: ContainerRecord): Promise<void> {
  await removeVolumes(
    engine,
    mounts.flatMap((mount) => (mount.kind === 'volume' && mount.anonymous ? [mount.name] : [])),
  );
}

/** Those that are gone are no error: another command may clear up the same. */
export async function removeVolumes(engine: Engine, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const volumes = await engine.volumes();
    await volumes.remove(name).catch((error: unknown) => {
      if (!isOcitsError(error, 'not-found')) throw error;
    });
  }
}
