import { constants } from 'node:os';
import { isErrno } from '../../errors.ts';
import { isRunning, type ProcessIdentity } from '../../system/process/process-identity.ts';
import { parseSignal } from '../../system/process/signal-number.ts';
import { noteKill } from './oom.ts';
import { readPidRecord } from './records.ts';

/** What a process that a signal has ended counts as having exited with. */
export function signalExitCode(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** Sends a signal to that very process. One that has ended is no error. Throws `invalid-argument`. */
export function sendSignal(identity: ProcessIdentity, signal: string): void {
  const number = parseSignal(signal);
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, number);
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

/** Sends a signal to the first process of the container in `folder`, from any process of ours; as `sendSignal`. */
export function signalContainer(folder: string, signal: string): void {
  const number = parseSignal(signal);
  const record = readPidRecord(folder);
  if (record === undefined || !isRunning(record)) return;
  if (number === constants.signals.SIGKILL) noteKill(folder);
  sendSignal(record, signal);
}
