import type { Engine } from '../../engine.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import { withLock } from '../../system/task/lock.ts';
import { clearContainer, discardFiles, removeAnonymousVolumes } from '../clear/clear-container.ts';
import { readContainer, readContainers } from '../record/catalog.ts';
import { containerLock } from '../record/folder.ts';
import { markRemoval, unmarkLive } from '../record/live-marks.ts';
import type { ContainerRecord } from '../record/record.ts';
import { writtenBytes } from '../record/size.ts';
import { containerState, hasAttendant } from '../record/state.ts';
import { keeping } from '../start/start-container.ts';
import { awaitClearing, killContainer } from './stop-container.ts';
import { waitForContainer } from './wait-for-container.ts';

export interface RemoveContainerOptions {
  /** Kills a container that runs. */
  readonly force?: boolean | undefined;
  /** Removes its anonymous volumes as well. */
  readonly volumes?: boolean | undefined;
}

/** Removes a container. Throws `in-use` where it runs and may not be killed. One that is gone already is no error. */
export async function removeContainer(
  engine: Engine,
  record: ContainerRecord,
  options: RemoveContainerOptions = {},
): Promise<void> {
  const { id, name } = record;
  if (containerState(engine.paths, id).status === 'running') {
    if (!options.force) throw isRunning(record);
    await kill(engine, record);
  } else if (hasAttendant(record)) {
    if (!options.force) throw new OcitsError('in-use', `container ${name} is being started or cleared up`);
    await awaitClearing(engine, record);
  }
  await withLock(containerLock(engine.paths, id), { mode: 'exclusive' }, async () => {
    if ((await readContainer(engine.paths, id)) === undefined) return;
    // Somebody may have started it while we waited.
    if (containerState(engine.paths, id).status === 'running') throw isRunning(record);
    await clearContainer(engine, keeping(record), { byRuntime: false });
    // Whatever ends this process, the next command ends the removal.
    await markRemoval(engine.paths, id, options.volumes === true);
    await discardFiles(engine, record);
    if (options.volumes) await removeAnonymousVolumes(engine, record);
    await unmarkLive(engine.paths, id);
  });
}

function isRunning({ name }: ContainerRecord): OcitsError {
  return new OcitsError('in-use', `container ${name} is running`, {
    hint: `stop it first (ocits stop ${name}), or remove it with --force`,
  });
}

async function kill(engine: Engine, record: ContainerRecord): Promise<void> {
  const ended = waitForContainer(engine.paths, record.id);
  ended.catch(() => {});
  killContainer(engine, record, 'SIGKILL');
  await ended;
  if (hasAttendant(record)) await awaitClearing(engine, record);
}

export interface PrunedContainers {
  readonly ids: readonly string[];
  /** Why others could not be removed. */
  readonly failures: readonly unknown[];
  /** What they had written. */
  readonly freedBytes: number;
}

/**
 * Removes all containers that do not run and that `isWanted` names, as `container prune` does. One that somebody starts
 * meanwhile stays; one that cannot be removed keeps no other.
 */
export async function pruneContainers(
  engine: Engine,
  isWanted: (record: ContainerRecord) => boolean = () => true,
): Promise<PrunedContainers> {
  const ids: string[] = [];
  const failures: unknown[] = [];
  let freedBytes = 0;
  for (const record of await readContainers(engine.paths)) {
    if (containerState(engine.paths, record.id).status === 'running' || hasAttendant(record)) continue;
    if (!isWanted(record)) continue;
    try {
      const bytes = await writtenBytes(engine, record);
      await removeContainer(engine, record);
      ids.push(record.id);
      freedBytes += bytes;
    } catch (error) {
      if (!isOcitsError(error, 'in-use')) failures.push(error);
    }
  }
  return { ids, failures, freedBytes };
}
