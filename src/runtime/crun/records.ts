import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFileSync } from '../../system/file/atomic-file.ts';
import { textIfThereSync } from '../../system/file/if-there.ts';
import {
  identifyProcess,
  isProcessIdentity,
  type ProcessIdentity,
} from '../../system/process/process-identity.ts';
import type { ExitRecord } from '../supervisor.ts';

/** The first process of a container. */
export interface PidRecord extends ProcessIdentity {
  /** For a container with a limit of memory: how often the kernel had killed for memory when it was started. */
  readonly oomKillsBefore?: number | undefined;
}

/** Names of the files in a container's folder. */
export const PID_FILE = 'pid';
export const EXIT_FILE = 'exit.json';
/** What crun writes itself, so that it is there even if nobody of ours lives to write `pid`. */
export const RUNTIME_PID_FILE = 'runtime-pid';

/** Writes `pid` into a container's folder. */
export function writePidRecord(folder: string, record: PidRecord): void {
  writeRecord(join(folder, PID_FILE), record);
}

/**
 * The first process of the container in `folder`; undefined where it has none. Where ocits was killed before it could
 * write `pid`, crun's own file counts, as long as the process is older than that file.
 */
export function readPidRecord(folder: string): PidRecord | undefined {
  const written = readRecord(join(folder, PID_FILE));
  if (isProcessIdentity(written)) return written;
  const path = join(folder, RUNTIME_PID_FILE);
  const text = textIfThereSync(path);
  const record = text === undefined ? undefined : identifyProcess(Number.parseInt(text, 10));
  if (record === undefined) return undefined;
  const startMs = bootTimeMs() + record.startTicks * MS_PER_TICK;
  // Whoever clears the container up may take the file away meanwhile.
  const writtenMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return startMs <= writtenMs + SLACK_MS ? record : undefined;
}

/** Writes `exit.json` into a container's folder. */
export function writeExitRecord(folder: string, record: ExitRecord): void {
  writeRecord(join(folder, EXIT_FILE), record);
}

/** How the container in `folder` ended; undefined where it has not, or nobody was there to write it. */
export function readExitRecord(folder: string): ExitRecord | undefined {
  const record = readRecord(join(folder, EXIT_FILE));
  return isExitRecord(record) ? record : undefined;
}

function isExitRecord(value: unknown): value is ExitRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { exitCode, oomKilled, finishedAt } = value as Partial<Record<keyof ExitRecord, unknown>>;
  const isTime = typeof finishedAt === 'string' && !Number.isNaN(Date.parse(finishedAt));
  return Number.isSafeInteger(exitCode) && typeof oomKilled === 'boolean' && isTime;
}

/** USER_HZ is 100 on every architecture that Node runs on. */
const MS_PER_TICK = 10;
const SLACK_MS = 1500;

function bootTimeMs(): number {
  return Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1] ?? 0) * 1000;
}

/** Not made durable, as no process outlives the boot. */
function writeRecord(path: string, record: object): void {
  replaceFileSync(path, `${JSON.stringify(record)}\n`);
}

/** What is damaged counts as missing: the next best source is asked then. */
function readRecord(path: string): unknown {
  const text = textIfThereSync(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
