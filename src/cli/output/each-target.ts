import { isOcitsError } from '../../errors.ts';
import { printError } from './error-output.ts';
import { writeResult } from './printable.ts';

/**
 * Does `work` for each of the things that a command names, side by side, and prints each result in their order; a
 * failure is printed in its place and makes the exit code 1, and the others go on, as Docker does. Throws `aborted`.
 */
export async function forEachTarget(
  names: readonly string[],
  work: (name: string) => Promise<string | undefined>,
): Promise<void> {
  const results = names.map((name) =>
    work(name).then(
      (text) => ({ text }),
      (error: unknown) => ({ error }),
    ),
  );
  for (const result of results) {
    const settled = await result;
    if ('error' in settled) {
      if (isOcitsError(settled.error, 'aborted')) throw settled.error;
      printError(settled.error);
      process.exitCode = 1;
    } else if (settled.text !== undefined) writeResult(`${settled.text}\n`);
  }
}

/** Prints what kept parts of the work from being done; the exit code is 1 then. Throws `aborted`. */
export function tellFailures(failures: readonly unknown[]): void {
  for (const failure of failures) {
    if (isOcitsError(failure, 'aborted')) throw failure;
    printError(failure);
    process.exitCode = 1;
  }
}
