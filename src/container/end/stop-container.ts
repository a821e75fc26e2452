import { OcitsError } from '../../errors.ts';
import { parseSignal, signalContainer } from '../../runtime/crun/send-signal.ts';
import { cleanupContainer } from '../clear/clear-container.ts';
import type { ContainerHost } from '../container-host.ts';
import { containerFolder } from '../record/folder.ts';
import type { ContainerRecord } from '../record/record.ts';
import { containerState, hasAttendant } from '../record/state.ts';
import { type DetachedOptions, startContainer } from '../start/start-container.ts';
import { waitForContainer, waitUntilCleared } from './wait-for-container.ts';

export interface StopOptions {
  /** Seconds until it is killed: 0 at once, below 0 never. The default is the container's own. */
  readonly timeoutSeconds?: number | undefined;
  /** Instead of the container's stop signal. */
  readonly stopSignal?: string | undefined;
  readonly signal?: AbortSignal;
}

/** How long whoever attends to a container that has ended may take to clear it up. */
const CLEARING_MS = 10_000;

/**
 * Ends a container: its stop signal, then, when its time is up, SIGKILL. Returns when it has ended and is cleared up.
 * One that does not run is no error.
 */
export async function stopContainer(
  host: ContainerHost,
  record: ContainerRecord,
  options: StopOptions = {},
): Promise<void> {
  const { id, process } = record;
  if (containerState(host.paths, id).status === 'running') {
    const seconds = options.timeoutSeconds ?? process.stopTimeoutSeconds;
    const ended = waitForContainer(host.paths, id, options.signal);
    ended.catch(() => {});
    send(host, id, options.stopSignal ?? process.stopSignal);
    if (seconds >= 0 && !(await endsWithin(ended, seconds * 1000))) send(host, id, 'SIGKILL');
    await ended;
  }
  await awaitClearing(host, record);
}

/** Returns when a container that has ended is cleared up: by its command in the foreground, by its conmon, or by us. */
export async function awaitClearing(host: ContainerHost, record: ContainerRecord): Promise<void> {
  if (hasAttendant(record) && (await waitUntilCleared(host.paths, record.id, CLEARING_MS))) return;
  await cleanupContainer(host, record.id);
}

/** Sends a signal to a container's first process. Throws `invalid-argument`, and `in-use` where it does not run. */
export function killContainer(host: ContainerHost, record: ContainerRecord, signal: string): void {
  parseSignal(signal);
  if (containerState(host.paths, record.id).status !== 'running') {
    throw new OcitsError('in-use', `container ${record.name} is not running`);
  }
  send(host, record.id, signal);
}

/** Stops a container that runs, and starts it in the background. */
export async function restartContainer(
  host: ContainerHost,
  record: ContainerRecord,
  options: StopOptions & DetachedOptions,
): Promise<void> {
  await stopContainer(host, record, options);
  await startContainer(host, record, options);
}

function send(host: ContainerHost, id: string, signal: string): void {
  signalContainer(containerFolder(host.paths, id).folder, signal);
}

async function endsWithin(ended: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  try {
    return await Promise.race([ended.then(() => true), promise]);
  } finally {
    clearTimeout(timer);
  }
}
