import { createInterface } from 'node:readline/promises';

/** Asks on standard error whether to go on; only `y` and `yes` say so. Without an answer (no input) it is no. */
export async function confirm(warning: string): Promise<boolean> {
  process.stderr.write(`WARNING! ${warning}\n`);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const answer = await Promise.race([lines.question('Are you sure you want to continue? [y/N] '), closed]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
