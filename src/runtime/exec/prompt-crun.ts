import { runTool } from '../../system/process/spawn.ts';
import type { LaunchCommand } from '../launch/launcher.ts';

/** A constant: all data are positional arguments. Where the host does not allow it, crun starts as it is. */
const SCRIPT = 'chrt --reset-on-fork --fifo --pid 1 $$ >/dev/null 2>&1; exec "$@"';

/**
 * The command for a crun that goes before all other processes of the host, and what it starts does not: `crun exec`
 * sets the size of a terminal while the process on it starts already, and on a busy host comes too late otherwise.
 * Call `calmCrun` once the process runs.
 */
export function promptCrun(program: string, args: readonly string[]): LaunchCommand {
  return { program: '/bin/sh', args: ['-c', SCRIPT, 'ocits-exec', program, ...args] };
}

/** Gives the crun that is process `pid` the usual priority again: from now on it copies what is printed. */
export async function calmCrun(pid: number): Promise<void> {
  // It may have ended, or never had another.
  await runTool('chrt', ['--other', '--pid', '0', String(pid)]).catch(() => {});
}
