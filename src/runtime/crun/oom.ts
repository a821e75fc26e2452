import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isUnwritable } from '../../errors.ts';
import type { PidRecord } from './records.ts';

/** In a container's folder: we have sent SIGKILL ourselves. */
export const KILLED_FILE = 'killed';
const KILLED_CODE = 137;

/** How many processes the kernel has killed since boot because memory ran out, in any cgroup. */
export function oomKillCount(): number {
  return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'latin1'))?.[1] ?? 0);
}

/** Notes that a SIGKILL of ours, and no lack of memory, is about to end the container in `folder`. */
export function noteKill(folder: string): void {
  try {
    writeFileSync(join(folder, KILLED_FILE), '', { mode: 0o600 });
  } catch (error) {
    // The kill matters more than what is said of it.
    if (!isUnwritable(error)) throw error;
  }
}

/**
 * Whether the container in `folder` was most likely ended by the kernel for lack of memory. Its cgroup with its own
 * count is gone when it has ended, and conmon may miss the event. So this counts: it had a limit, a SIGKILL ended it
 * that was not ours, and the kernel has killed for memory since it was started.
 */
export function wasOomKilled(
  folder: string,
  start: Pick<PidRecord, 'oomKillsBefore'> | undefined,
  exitCode: number,
): boolean {
  const before = start?.oomKillsBefore;
  if (before === undefined || exitCode !== KILLED_CODE) return false;
  return oomKillCount() > before && !existsSync(join(folder, KILLED_FILE));
}
