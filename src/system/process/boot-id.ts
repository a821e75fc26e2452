import { readFileSync } from 'node:fs';

/** The kernel's name for this boot (a UUID). What was written but not synced may be lost once it has changed. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
}
