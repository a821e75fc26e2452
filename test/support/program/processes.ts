import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

/** `sleep` for so odd a time that no other program of the host does: what runs it is the test's own. */
export function ownSleep(): string {
  return `sleep ${randomInt(1_000_000, 1_000_000_000)}`;
}

/** Whether a process was started as exactly that, such as `ownSleep()`. */
export function isRunning(command: string): boolean {
  return commandLines().some(({ line }) => line === command);
}

/** The processes whose command line names it: a folder or an ID that only the test has. */
export function processesOf(own: string): readonly { readonly pid: number; readonly line: string }[] {
  return commandLines().filter(({ line }) => line.includes(own));
}

/** What every process of the host was started as, a space between two words; empty for the kernel's own. */
function commandLines(): readonly { readonly pid: number; readonly line: string }[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => ({ pid: Number(pid), line: commandLine(pid) }));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trimEnd();
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
