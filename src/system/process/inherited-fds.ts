import { readdirSync, readFileSync } from 'node:fs';

/** Descriptors from 3 on that would stay open in a child: inherited ones; Node marks all of its own close-on-exec. */
export function inheritedFds(): readonly number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && !isCloseOnExec(fd));
}

const CLOSE_ON_EXEC = 0o2000000;

function isCloseOnExec(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
    return (Number.parseInt(flags ?? '0', 8) & CLOSE_ON_EXEC) !== 0;
  } catch {
    // Closed in the meantime: it was the one that read the folder.
    return true;
  }
}
