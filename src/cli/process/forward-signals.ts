/** Those that a container's first process may want. Not: what the kernel tells us about our own children and terminal. */
const FORWARDED: readonly NodeJS.Signals[] = [
  ...(['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGCONT', 'SIGALRM'] as const),
];
const IMPATIENCE = 3;

/**
 * Passes the signals that we get on to a container. The third interrupt in a row kills it: its first process may
 * listen to none. Returns how to stop.
 */
export function forwardSignals(kill: (signal: string) => Promise<void>): () => void {
  let interrupts = 0;
  const handle = (signal: NodeJS.Signals) => {
    if (signal === 'SIGINT' || signal === 'SIGTERM') interrupts++;
    // It may have ended just now.
    kill(interrupts >= IMPATIENCE ? 'SIGKILL' : signal).catch(() => {});
  };
  for (const signal of FORWARDED) process.on(signal, handle);
  return () => {
    for (const signal of FORWARDED) process.off(signal, handle);
  };
}
