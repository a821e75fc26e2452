import { readdirSync, readFileSync } from 'node:fs';

/** What every process of the host was started as, a space between two words; empty for the kernel's own. */
export function commandLines(): readonly { readonly pid: number; readonly line: string }[] {
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
