import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { OcitsError } from '../../errors.ts';
import { replaceFileSync } from '../../system/file/atomic-file.ts';
import { textIfThereSync } from '../../system/file/if-there.ts';

/** Why the last start of a container failed, and how the container had ended before that. */
export interface StartFailure {
  readonly exitCode: number;
  readonly error: string;
  /** Undefined where it had never run. Times are RFC 3339. */
  readonly before?:
    | {
        readonly startedAt: string | undefined;
        readonly finishedAt: string | undefined;
        readonly oomKilled: boolean;
      }
    | undefined;
}

/** Docker's code where the command is not to blame. */
const UNKNOWN_FAILURE = 128;
const COMMAND_FAILURES: readonly (number | undefined)[] = [126, 127];

/**
 * Keeps that a start failed in the container's folder: with 127 where its command is not there, 126 where it cannot be
 * executed, else with the code that it had before, or 128 for 0. Best effort, as what failed is what has to be told.
 */
export function noteStartFailure(
  folder: string,
  failure: unknown,
  { exitCode: last, before }: Pick<StartFailure, 'exitCode' | 'before'>,
): void {
  const code = failure instanceof OcitsError ? failure.exitCode : undefined;
  const exitCode = COMMAND_FAILURES.includes(code) ? code! : last || UNKNOWN_FAILURE;
  const error = failure instanceof Error ? failure.message : String(failure);
  const record: StartFailure = { exitCode, error, before };
  try {
    replaceFileSync(join(folder, FILE), `${JSON.stringify(record)}\n`);
  } catch {
    // The container may be gone, or the disk full.
  }
}

/** Undefined where the last start went well, or there was none. */
export function readStartFailure(folder: string): StartFailure | undefined {
  const text = textIfThereSync(join(folder, FILE));
  try {
    return text === undefined ? undefined : (JSON.parse(text) as StartFailure);
  } catch {
    return undefined;
  }
}

/** A new start begins. Idempotent. */
export function forgetStartFailure(folder: string): void {
  rmSync(join(folder, FILE), { force: true });
}

const FILE = 'start-failure.json';
