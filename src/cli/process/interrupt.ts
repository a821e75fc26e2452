/**
 * The room of this process: the signals that it gets, and the command by which it is started again to clear up.
 * `BaseCommand` opens the scope of signals; the commands that run a container pass signals on. It calls nothing of
 * containers: whoever uses it says how a signal is sent.
 *
 *     const signals = signalScope();
 *     signals.release();
 *     const stop = forwardSignals((signal) => container.kill(signal));
 */

import { OcitsError } from '../../errors.ts';

/** The interrupt of one command: Ctrl-C and SIGTERM abort it once; a second one ends the process at once. */
export interface SignalScope {
  readonly signal: AbortSignal;
  /** The signal that came, if any. */
  readonly received: NodeJS.Signals | undefined;
  /** Gives the signals back, for a command that forwards them itself. */
  release(): void;
}

const HANDLED: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const EXIT_CODES: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGINT: 130,
  SIGTERM: 143,
  SIGHUP: 129,
};

export function signalScope(): SignalScope {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  const handle = (name: NodeJS.Signals) => {
    if (received !== undefined) process.exit(exitCodeOf(name));
    received = name;
    controller.abort(new OcitsError('aborted', `interrupted by ${name}`));
  };
  for (const name of HANDLED) process.on(name, handle);
  return {
    signal: controller.signal,
    get received() {
      return received;
    },
    release: () => {
      for (const name of HANDLED) process.off(name, handle);
    },
  };
}

/** 128 and the signal's number, as shells do. */
export function exitCodeOf(name: NodeJS.Signals): number {
  return EXIT_CODES[name] ?? 1;
}
