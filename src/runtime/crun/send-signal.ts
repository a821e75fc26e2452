import { constants } from 'node:os';
import { isErrno, OcitsError } from '../../errors.ts';
import { isRunning, type ProcessIdentity } from '../../system/process/process-identity.ts';
import { noteKill } from './oom.ts';
import { readPidRecord } from './records.ts';

/** Linux's, which Node does not know. */
const FIRST_REALTIME = 34;
const LAST_REALTIME = 64;

/**
 * The number of a signal that is given as a name in any case with or without `SIG`, as `RTMIN+n` or `RTMAX-n`, or as a
 * number. Throws `invalid-argument`.
 */
export function parseSignal(text: string): number {
  const name = text.trim().toUpperCase().replace(/^SIG/, '');
  if (/^\d+$/.test(name)) {
    const number = Number(name);
    if (number >= 1 && number <= LAST_REALTIME) return number;
  }
  const known = (constants.signals as Readonly<Record<string, number>>)[`SIG${name}`];
  if (known !== undefined) return known;
  const [, base, sign, offset = '0'] = /^(RTMIN|RTMAX)(?:([+-])(\d+))?$/.exec(name) ?? [];
  if (base !== undefined) {
    const number =
      (base === 'RTMIN' ? FIRST_REALTIME : LAST_REALTIME) + (sign === '-' ? -1 : 1) * Number(offset);
    if (number >= FIRST_REALTIME && number <= LAST_REALTIME) return number;
  }
  throw new OcitsError('invalid-argument', `${JSON.stringify(text)} is no signal`, {
    hint: 'give a name such as TERM or a number such as 15',
  });
}

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
