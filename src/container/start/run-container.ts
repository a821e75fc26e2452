import { open } from 'node:fs/promises';
import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { isErrno } from '../../errors.ts';
import type { PullPolicy } from '../../options/pull-policy.ts';
import { findExit, waitForExit } from '../../runtime/conmon/wait-for-exit.ts';
import type { ExitRecord, RunningContainer, StartRequest } from '../../runtime/supervisor.ts';
import { cleanupContainer, clearContainer } from '../clear/clear-container.ts';
import { createContainer } from '../create/create-container.ts';
import type { CreateRequest } from '../flags/create-request.ts';
import { readContainer } from '../record/catalog.ts';
import { containerFolder } from '../record/folder.ts';
import type { ContainerRecord } from '../record/record.ts';
import { untilRestarted } from '../record/restart-mark.ts';
import { containerState } from '../record/state.ts';
import { launchContainer } from './launch.ts';

export interface ForegroundOptions {
  readonly stdio: StartRequest['stdio'];
  /** Whether our standard input is a terminal that the container's can be joined to. */
  readonly hasTerminal: boolean;
  /** Called once the process runs: from now on signals are the caller's to pass on. */
  readonly onStarted?: ((container: RunningContainer, record: ContainerRecord) => void) | undefined;
  /** Called when the container is made, before it is started. */
  readonly onCreated?: ((record: ContainerRecord) => Promise<void> | void) | undefined;
  readonly pull?: PullPolicy | undefined;
}

/**
 * Makes a container, runs it on our descriptors to its end, and clears it up. The result is how it ended. A failure
 * before the start leaves nothing behind of a container with `autoRemove`, and a created one otherwise. One with
 * `autoRemove` that is restarted meanwhile goes on in the background, and the result is how it ended at last.
 */
export async function runForeground(
  engine: Engine,
  call: Call,
  request: CreateRequest,
  options: ForegroundOptions,
): Promise<ExitRecord> {
  const { stdio, pull } = options;
  const record = await createContainer(engine, call, request, { attached: true, startsNow: true, pull });
  const supervisor = supervisorFor(record, options.hasTerminal);
  let exit: ExitRecord;
  try {
    await options.onCreated?.(record);
    const running = await launchContainer(engine, call, record, { supervisor, stdio });
    options.onStarted?.(running, record);
    exit = await running.wait();
  } finally {
    await clearContainer(engine, record, { byRuntime: supervisor === 'direct' });
  }
  return (record.lifetime.autoRemove ? await lastExit(engine, record) : undefined) ?? exit;
}

/**
 * How a container with `autoRemove` ended at last, which was kept since somebody restarts it; undefined where it was
 * not. As in Docker the command waits until the container is removed, and shows nothing of it any more.
 */
async function lastExit(engine: Engine, { id }: ContainerRecord): Promise<ExitRecord | undefined> {
  let exit: ExitRecord | undefined;
  while ((await readContainer(engine.paths, id)) !== undefined) {
    try {
      await untilRestarted(engine.paths, id);
      // A folder that is open is there to the end, so the exit record stays in reach.
      await using folder = await open(containerFolder(engine.paths, id).folder, 'r');
      const isUp = containerState(engine.paths, id).status === 'running';
      const place = `/proc/self/fd/${folder.fd}`;
      exit = (isUp ? await waitForExit(place) : findExit(place)) ?? exit;
    } catch (error) {
      // It was removed between two looks.
      if (!isErrno(error, 'ENOENT')) throw error;
    }
    await cleanupContainer(engine, id);
  }
  return exit;
}

/**
 * crun on our own descriptors costs least, but keeps no log. So whatever is not removed at its end runs under conmon,
 * which logs, and our output follows the log; so does a terminal that is not joined to ours.
 */
function supervisorFor({ lifetime, process }: ContainerRecord, hasTerminal: boolean): 'direct' | 'conmon' {
  if (!lifetime.autoRemove) return 'conmon';
  return process.terminal && !(process.openStdin && hasTerminal) ? 'conmon' : 'direct';
}
