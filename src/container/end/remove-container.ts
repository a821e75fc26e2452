import { OcitsError } from '../../errors.ts';
import { withLock } from '../../system/task/lock.ts';
import { clearContainer, removeAnonymousVolumes } from '../clear/clear-container.ts';
import type { ContainerHost } from '../container-host.ts';
import { deleteContainer, readContainer, readContainers } from '../record/catalog.ts';
import { containerLock } from '../record/folder.ts';
import type { ContainerRecord } from '../record/record.ts';
import { writtenBytes } from '../record/size.ts';
import { containerState, hasAttendant } from '../record/state.ts';
import { keeping } from '../start/start-container.ts';
import { awaitClearing, killContainer } from './stop-container.ts';
import { waitForContainer } from './wait-for-container.ts';

export interface RemoveContainerOptions {
  /** Kills a container that runs. */
  readonly force?: boolean;
  /** Removes its anonymous volumes as well. */
  readonly volumes?: boolean;
}

/** Removes a container. Throws `in-use` where it runs and may not be killed. One that is gone already is no error. */
export async function removeContainer(
  host: ContainerHost,
  record: ContainerRecord,
  options: RemoveContainerOptions = {},
): Promise<void> {
  const { id, name } = record;
  if (containerState(host.paths, id).status === 'running') {
    if (!options.force) throw isRunning(record);
    await kill(host, record);
  } else if (hasAttendant(record)) {
    if (!options.force) throw new OcitsError('in-use', `container ${name} is being started or cleared up`);
    await awaitClearing(host, record);
  }
  await withLock(containerLock(host.paths, id), { mode: 'exclusive' }, async () => {
    if ((await readContainer(host.paths, id)) === undefined) return;
    // Somebody may have started it while we waited.
    if (containerState(host.paths, id).status === 'running') throw isRunning(record);
    await clearContainer(host, keeping(record), { byRuntime: false });
    await deleteContainer(host.paths, record);
    if (options.volumes) await removeAnonymousVolumes(host, record);
  });
}

function isRunning({ name }: ContainerRecord): OcitsError {
  return new OcitsError('in-use', `container ${name} is running`, {
    hint: `stop it first (ocits stop ${name}), or remove it with --force`,
  });
}

async function kill(host: ContainerHost, record: ContainerRecord): Promise<void> {
  const ended = waitForContainer(host.paths, record.id);
  ended.catch(() => {});
  killContainer(host, record, 'SIGKILL');
  await ended;
  if (hasAttendant(record)) await awaitClearing(host, record);
}

export interface PrunedContainers {
  readonly ids: readonly string[];
  /** What they had written. */
  readonly freedBytes: number;
}

/** Removes all containers that do not run and that `isWanted` names, as `container prune` does. */
export async function pruneContainers(
  host: ContainerHost,
  isWanted: (record: ContainerRecord) => boolean = () => true,
): Promise<PrunedContainers> {
  const ids: string[] = [];
  let freedBytes = 0;
  for (const record of await readContainers(host.paths)) {
    if (containerState(host.paths, record.id).status === 'running' || hasAttendant(record)) continue;
    if (!isWanted(record)) continue;
    freedBytes += await writtenBytes(host, record);
    await removeContainer(host, record);
    ids.push(record.id);
  }
  return { ids, freedBytes };
}
