import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { isOcitsError, messageOf } from '../../errors.ts';
import { hasAttachments } from '../../network/settings.ts';
import { warning } from '../../progress.ts';
import { removeAbandoned } from '../../system/file/abandoned.ts';
import type { HostPaths } from '../../system/paths.ts';
import { isRunning } from '../../system/process/process-identity.ts';
import { lockFile } from '../../system/task/lock.ts';
import { sweepVolumes } from '../../volume/volume-store.ts';
import { containerIds, dropNamesOf, readContainer } from '../record/catalog.ts';
import { containerLock, containersFolder } from '../record/folder.ts';
import {
  completeMarks,
  isInTheMaking,
  keepsVolumes,
  liveIds,
  noteReported,
  unmarkLive,
} from '../record/live-marks.ts';
import type { ContainerRecord } from '../record/record.ts';
import { containerState, hasAttendant } from '../record/state.ts';
import { clearContainer, removeVolumes } from './clear-container.ts';

/**
 * Clears away what dead processes have left: containers that ended with nobody to attend to them, networks, half-made
 * folders. Commands of containers call it first. A few milliseconds where there is nothing to do: only containers with
 * a mark are looked at, and all of them once after the host has started. What cannot be cleared away is told as a
 * warning, once for each container, and stops nothing else. Throws `unsupported` for a record of a newer ocits.
 */
export async function sweepContainers(engine: Engine, teller: Teller = SILENT): Promise<void> {
  const { paths } = engine;
  const marked = await liveIds(paths);
  const alive = new Set<string>();
  for (const id of marked ?? (await containerIds(paths))) {
    if (await sweepTelling(engine, id, teller)) alive.add(id);
  }
  const isLive = async (id: string) => alive.has(id) || (await sweepTelling(engine, id, teller));
  const works = [
    hasAttachments() ? engine.network().then((networks) => networks.repair(isLive)) : undefined,
    removeAbandoned(containersFolder(paths)),
    removeAbandoned(paths.run),
    sweepVolumes(paths),
    marked === undefined ? completeMarks(paths) : undefined,
  ];
  for (const result of await Promise.allSettled(works)) {
    if (result.status === 'fulfilled') continue;
    rethrowNewer(result.reason);
    teller.emit(
      warning(`what earlier commands have left cannot be cleared away: ${messageOf(result.reason)}`),
    );
  }
}

/** Who is told of what is in the way. */
type Teller = Pick<Call, 'emit'>;

const SILENT: Teller = { emit: () => {} };

/** As `sweepOne`; true where it fails, so that nothing is taken from a container of which little is known. */
async function sweepTelling(engine: Engine, id: string, teller: Teller): Promise<boolean> {
  try {
    return await sweepOne(engine, id);
  } catch (error) {
    rethrowNewer(error);
    if (!(await noteReported(engine.paths, id))) {
      const text = `container ${id.slice(0, 12)} has ended and cannot be cleared away: ${messageOf(error)}`;
      teller.emit(warning(`${text} (ocits rm -f ${id.slice(0, 12)})`));
    }
    return true;
  }
}

/** What a newer ocits has written decides things that are not known here. */
function rethrowNewer(error: unknown): void {
  if (isOcitsError(error, 'unsupported')) throw error;
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
  if (!(await keepsVolumes(engine.paths, id))) {
    const volumes = await (await engine.volumes()).list();
    await removeVolumes(
      engine,
      volumes.filter(({ madeFor }) => madeFor === id).map(({ name }) => name),
    );
  }
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
