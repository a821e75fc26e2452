import { printError } from '../output/error-output.ts';
import { writeResult } from '../output/printable.ts';
import { fillTemplate } from './template.ts';

/**
 * Prints what is known of each thing that a command names: a JSON array of all, or the template once for each. What
 * is not found is told on standard error and makes the exit code 1; the rest is printed, as Docker does.
 */
export async function inspectTargets(
  names: readonly string[],
  format: string | undefined,
  inspect: (name: string) => Promise<Readonly<Record<string, unknown>>>,
): Promise<void> {
  const found: Readonly<Record<string, unknown>>[] = [];
  const errors: unknown[] = [];
  for (const name of names) {
    try {
      found.push(await inspect(name));
    } catch (error) {
      errors.push(error);
    }
  }
  if (format === undefined) writeResult(`${JSON.stringify(found, null, 4)}\n`);
  else
    for (const each of found)
      writeResult(`${format === 'json' ? JSON.stringify(each) : fillTemplate(format, each)}\n`);
  for (const error of errors) {
    printError(error);
    process.exitCode = 1;
  }
}
