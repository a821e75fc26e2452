import { printError } from '../output/error-output.ts';
import { writeResult } from '../output/printable.ts';
import { type Shape, shapeValue } from '../shapes/shape.ts';
import { parseTemplate } from './parse-template.ts';
import { fillTemplate } from './template.ts';

/** Something that `inspect` has found, and the shape that Docker gives it. */
export interface Inspected {
  readonly data: Readonly<Record<string, unknown>>;
  readonly shape: Shape;
}

/**
 * Prints what is known of each thing that a command names, in Docker's shape: a JSON array of all (for `json` on one
 * line), or the template once for each. What is not found, and what the template cannot be filled with, is told on
 * standard error and makes the exit code 1; the rest is printed, as Docker does.
 */
export async function inspectTargets(
  names: readonly string[],
  format: string | undefined,
  inspect: (name: string) => Promise<Inspected>,
): Promise<void> {
  const isJson = format === undefined || format === '' || format === 'json';
  // A template that cannot be read is told once, whatever the number of names.
  if (!isJson) parseTemplate(format);
  const found: unknown[] = [];
  const errors: unknown[] = [];
  for (const name of names) {
    try {
      const { data, shape } = await inspect(name);
      const value = shapeValue(shape, data);
      found.push(isJson ? value : fillTemplate(format, value));
    } catch (error) {
      errors.push(error);
    }
  }
  if (isJson) writeResult(`${JSON.stringify(found, null, format === 'json' ? 0 : 4)}\n`);
  else writeResult(`${found.join('\n')}\n`);
  for (const error of errors) {
    printError(error);
    process.exitCode = 1;
  }
}
