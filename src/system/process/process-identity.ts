import { readFileSync } from 'node:fs';
import { readBootId } from './boot-id.ts';

/** A process that cannot be mistaken for a later one with the same pid, also after a reboot. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in clock ticks since boot (proc(5), field 22 of stat). */
  readonly startTicks: number;
  readonly bootId: string;
}

/** The identity of a running process; undefined where there is none, or only a zombie is left. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startTicks = readStartTicks(pid);
  return startTicks === undefined ? undefined : { pid, startTicks, bootId: readBootId() };
}

/** This process's own identity. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, startTicks: readStartTicks(process.pid) ?? 0, bootId: readBootId() };
}

/** Whether it is one, as a file may have kept it. */
export function isProcessIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, startTicks, bootId } = value as Partial<Record<keyof ProcessIdentity, unknown>>;
  return Number.isSafeInteger(pid) && typeof startTicks === 'number' && typeof bootId === 'string';
}

/** Whether the very process still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identity.startTicks === readStartTicks(identity.pid) && identity.bootId === readBootId();
}

function readStartTicks(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name in parentheses may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  if (state === 'Z' || state === 'X') return undefined;
  return Number(fields[19]);
}
