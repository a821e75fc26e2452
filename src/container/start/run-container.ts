import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import type { PullPolicy } from '../../options/pull-policy.ts';
import type { ExitRecord, RunningContainer, StartRequest } from '../../runtime/supervisor.ts';
import { clearContainer } from '../clear/clear-container.ts';
import { createContainer } from '../create/create-container.ts';
import type { CreateRequest } from '../flags/create-request.ts';
import type { ContainerRecord } from '../record/record.ts';
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
 * before the start leaves nothing behind of a container with `autoRemove`, and a created one otherwise.
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
  try {
    await options.onCreated?.(record);
    const running = await launchContainer(engine, call, record, { supervisor, stdio });
    options.onStarted?.(running, record);
    return await running.wait();
  } finally {
    await clearContainer(engine, record, { byRuntime: supervisor === 'direct' });
  }
}

/**
 * crun on our own descriptors costs least, but keeps no log. So whatever is not removed at its end runs under conmon,
 * which logs, and our output follows the log; so does a terminal that is not joined to ours.
 */
function supervisorFor({ lifetime, process }: ContainerRecord, hasTerminal: boolean): 'direct' | 'conmon' {
  if (!lifetime.autoRemove) return 'conmon';
  return process.terminal && !(process.openStdin && hasTerminal) ? 'conmon' : 'direct';
}
