/**
 * The room of starts: network, root filesystem, user and files below /etc are prepared, and the process is started in
 * the foreground, in the background or beside one that runs (`exec`). The commands `run`, `start`, `restart` and
 * `exec` call it, and `library`. A start that fails undoes what it has made.
 *
 *     const { exitCode } = await runForeground(engine, call, request, { stdio, hasTerminal: false });
 *     await startContainer(engine, call, record, { cleanupCommand: cleanupCommand(engine.paths) });
 */

import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import { withLock } from '../../system/task/lock.ts';
import { clearContainer } from '../clear/clear-container.ts';
import { readContainer } from '../record/catalog.ts';
import { containerLock } from '../record/folder.ts';
import { isMarkedLive } from '../record/live-marks.ts';
import type { ContainerRecord } from '../record/record.ts';
import { endRestart } from '../record/restart-mark.ts';
import { containerState, hasAttendant } from '../record/state.ts';
import { launchContainer } from './launch.ts';

export interface DetachedOptions {
  /** The command, absolute program first, that clears up after the container `id` when it has ended. */
  readonly cleanupCommand: (id: string) => readonly string[];
}

/**
 * Starts a container in the background, watched by conmon. One that runs already is no error. A failed start of a
 * container with `autoRemove` removes it.
 */
export async function startContainer(
  engine: Engine,
  call: Call,
  { id, name }: Pick<ContainerRecord, 'id' | 'name'>,
  options: DetachedOptions,
): Promise<void> {
  await withLock(containerLock(engine.paths, id), { mode: 'exclusive' }, async () => {
    const record = await readContainer(engine.paths, id);
    if (record === undefined) throw new OcitsError('not-found', `No such container: ${name}`);
    const { status } = containerState(engine.paths, id);
    if (status === 'running') return;
    if (record.damage !== undefined) throw damaged(record);
    // Who attends to a container has done so once that has ended and is cleared up.
    if (hasAttendant(record) && !(status === 'exited' && !(await isMarkedLive(engine.paths, id)))) {
      throw new OcitsError('in-use', `container ${name} belongs to a command that is still running`, {
        hint: `that is process ${record.lifetime.creator.pid}`,
      });
    }
    if (status === 'exited') await clearContainer(engine, keeping(record), { byRuntime: false });
    try {
      await launchDetached(engine, call, record, options);
    } catch (error) {
      await endRestart(engine.paths, id);
      if (record.lifetime.autoRemove) await clearContainer(engine, record, { byRuntime: true });
      throw error;
    }
  });
}

async function launchDetached(
  engine: Engine,
  call: Call,
  record: ContainerRecord,
  options: DetachedOptions,
): Promise<void> {
  const running = await launchContainer(engine, call, record, {
    supervisor: 'conmon',
    stdio: { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' },
    exitCommand: options.cleanupCommand(record.id),
    keepStdin: record.process.openStdin,
  });
  running.release?.();
}

function damaged({ name, damage }: ContainerRecord): OcitsError {
  return new OcitsError('corrupt', `container ${name} cannot be started: ${damage}`, {
    hint: `save what it has written (ocits export ${name}), and remove it: ocits rm -f ${name}`,
  });
}

/** The same container, as one that stays when it is cleared. */
export function keeping(record: ContainerRecord): ContainerRecord {
  return { ...record, lifetime: { ...record.lifetime, autoRemove: false } };
}
