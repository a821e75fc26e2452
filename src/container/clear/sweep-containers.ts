import type { Engine } from '../../engine.ts';
import { hasAttachments } from '../../network/settings.ts';
import { removeAbandoned } from '../../system/file/abandoned.ts';
import type { HostPaths } from '../../system/paths.ts';
import { isRunning } from '../../system/process/process-identity.ts';
import { lockFile } from '../../system/task/lock.ts';
import { sweepVolumes } from '../../volume/volume-store.ts';
import { containerIds, dropNamesOf, readContainer } from '../record/catalog.ts';
import { containerLock, containersFolder } from '../record/folder.ts';
import { completeMarks, isInTheMaking, liveIds, unmarkLive } from '../record/live-marks.ts';
import type { ContainerRecord } from '../record/record.ts';
import { containerState, hasAttendant } from '../record/state.ts';
import { clearContainer, removeVolumes } from './clear-container.ts';

/**
 * Clears away what dead processes have left: containers that ended with nobody to attend to them, networks, half-made
 * folders. Commands of containers call it first. A few milliseconds where there is nothing to do: only containers with
 * a mark are looked at, and all of them once after the host has started.
 */
export async function sweepContainers(engine: Engine): Promise<void> {
  const marked = await liveIds(engine.paths);
  const alive = new Set<string>();
  const isLive = async (id: string) => alive.has(id) || (await sweepOne(engine, id));
  for (const id of marked ?? (await containerIds(engine.paths))) {
    if (await sweepOne(engine, id)) alive.add(id);
  }
  await Promise.all([
    hasAttachments() ? engine.network().then((networks) => networks.repair(isLive)) : undefined,
    removeAbandoned(containersFolder(engine.paths)),
    removeAbandoned(engine.paths.run),
    sweepVolumes(engine.paths),
    marked === undefined ? completeMarks(engine.paths) : undefined,
  ]);
}

/** Whether the container runs, or somebody attends to it. */
async function sweepOne(engine: Engine, id: string): Promise<boolean> {
  const record = await readContainer(engine.paths, id);
  if (record === undefined) return await sweepUnmade(engine, id);
  if (isInHands(engine.paths, record)) return true;
  await using lock = await lockFile(containerLock(engine.paths, id), { mode: 'exclusive', waitMs: 0 });
  // Whoever holds it is starting or clearing it.
  if (lock === undefined) return true;
  const again = await readContainer(engine.paths, id);
  if (again === undefined || isInHands(engine.paths, again)) return again !== undefined;
  await clearContainer(engine, again, { byRuntime: false });
  return false;
}

/**
 * Clears away what a dead process has made for a container that is not there. True where the process is still at it.
 */
async function sweepUnmade(engine: Engine, id: string): Promise<boolean> {
  if (await isInTheMaking(engine.paths, id)) return true;
  // It may have come to its end between the two looks.
  if ((await readContainer(engine.paths, id)) !== undefined) return await sweepOne(engine, id);
  const volumes = await (await engine.volumes()).list();
  await removeVolumes(
    engine,
    volumes.filter(({ madeFor }) => madeFor === id).map(({ name }) => name),
  );
  await dropNamesOf(engine.paths, id);
  await unmarkLive(engine.paths, id);
  return false;
}

function isInHands(paths: HostPaths, record: ContainerRecord): boolean {
  if (hasAttendant(record)) return true;
  const { status } = containerState(paths, record.id);
  if (status === 'running') return true;
  const { autoRemove, attached, creator } = record.lifetime;
  // Whoever made it is about to start it; that may be this very process.
  return status === 'created' && (autoRemove || attached) && isRunning(creator);
}
