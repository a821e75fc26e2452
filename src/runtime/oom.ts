import { readFileSync } from 'node:fs';

/** How many processes the kernel has killed since boot because memory ran out, in any cgroup. */
export function oomKillCount(): number {
  return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'latin1'))?.[1] ?? 0);
}
