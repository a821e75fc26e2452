import type { StopOptions } from '../../container/end/stop-container.ts';

/** What `stop` and `restart` are asked for. */
export function stopOptions(flags: {
  readonly timeout: number | undefined;
  readonly signal: string | undefined;
}): StopOptions {
  return { timeoutSeconds: flags.timeout, stopSignal: flags.signal };
}
