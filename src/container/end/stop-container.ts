/**
 * The room of a container's end: signals, stopping, waiting, removal, and `container prune`. The commands call it,
 * `show` for logs that are followed, and `library`. Whoever stops or removes returns only when the container is
 * cleared up, whoever does that.
 *
 *     await stopContainer(engine, call, record, { timeoutSeconds: 10 });
 *     await removeContainer(engine, record, { volumes: true });
 */

import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import { signalContainer } from '../../runtime/crun/send-signal.ts';
import { parseSignal } from '../../system/process/signal-number.ts';
import { cleanupContainer } from '../clear/clear-container.ts';
import { containerFolder } from '../record/folder.ts';
import { isMarkedLive } from '../record/live-marks.ts';
import type { ContainerRecord } from '../record/record.ts';
import { beginRestart, endRestart } from '../record/restart-mark.ts';
import { containerState, hasAttendant } from '../record/state.ts';
import { type DetachedOptions, startContainer } from '../start/start-container.ts';
import { waitForContainer, waitUntilCleared, waitUntilStarted } from './wait-for-container.ts';

export interface StopOptions {
  /** Seconds until it is killed: 0 at once, below 0 never. The default is the container's own. */
  readonly timeoutSeconds?: number | undefined;
  /** Instead of the container's stop signal. */
  readonly stopSignal?: string | undefined;
}

/** How long a container that has ended may wait for those who attend to it to clear it up. */
const CLEARING_MS = 10_000;

/**
 * Ends a container: its stop signal, then, when its time is up, SIGKILL. Returns when it has ended and is cleared up.
 * One that does not run is no error.
 */
export async function stopContainer(
  engine: Engine,
  call: Call,
  record: ContainerRecord,
  options: StopOptions = {},
): Promise<void> {
  const { id, process } = record;
  if (containerState(engine.paths, id).status === 'created') {
    // Its process may be there already, while who starts it has not seen that yet.
    if (await isMarkedLive(engine.paths, id)) await waitUntilStarted(engine.paths, id, CLEARING_MS);
    if (containerState(engine.paths, id).status === 'created') return;
  }
  if (containerState(engine.paths, id).status === 'running') {
    const seconds = options.timeoutSeconds ?? process.stopTimeoutSeconds;
    const ended = waitForContainer(engine.paths, id, call.signal);
    ended.catch(() => {});
    send(engine, id, options.stopSignal ?? process.stopSignal);
    if (seconds >= 0 && !(await endsWithin(ended, seconds * 1000))) send(engine, id, 'SIGKILL');
    await ended;
  }
  await awaitClearing(engine, record);
}

/** Returns when a container that has ended is cleared up: by its command in the foreground, by its conmon, or by us. */
export async function awaitClearing(engine: Engine, record: ContainerRecord): Promise<void> {
  if (hasAttendant(record) && (await waitUntilCleared(engine.paths, record.id, CLEARING_MS))) return;
  await cleanupContainer(engine, record.id);
}

/** Sends a signal to a container's first process. Throws `invalid-argument`, and `in-use` where it does not run. */
export function killContainer(engine: Engine, record: ContainerRecord, signal: string): void {
  parseSignal(signal);
  if (containerState(engine.paths, record.id).status !== 'running') {
    throw new OcitsError('in-use', `container ${record.name} is not running`);
  }
  send(engine, record.id, signal);
}

/**
 * Stops a container that runs, and starts it in the background. One that removes itself is kept between. The command
 * that ran it in the foreground ends with the old process; where the container removes itself, with the container.
 */
export async function restartContainer(
  engine: Engine,
  call: Call,
  record: ContainerRecord,
  options: StopOptions & DetachedOptions,
): Promise<void> {
  await beginRestart(engine.paths, record);
  try {
    await stopContainer(engine, call, record, options);
    await startContainer(engine, call, record, options);
  } finally {
    await endRestart(engine.paths, record.id);
  }
}

function send(engine: Engine, id: string, signal: string): void {
  signalContainer(containerFolder(engine.paths, id).folder, signal);
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
