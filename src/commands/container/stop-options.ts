import type { StopOptions } from '../../container/end/stop-container.ts';
import { readInteger } from '../../container/flags/parse-values.ts';
import { parseSignal } from '../../runtime/crun/send-signal.ts';

/** What `stop` and `restart` are asked for. Throws `invalid-argument`. */
export function stopOptions(flags: {
  readonly timeout?: string | undefined;
  readonly signal?: string | undefined;
}): StopOptions {
  if (flags.signal !== undefined) parseSignal(flags.signal);
  return {
    ...(flags.timeout === undefined ? {} : { timeoutSeconds: readInteger(flags.timeout, '--timeout') }),
    ...(flags.signal === undefined ? {} : { stopSignal: flags.signal }),
  };
}
