import { OcitsError } from '../errors.ts';

/** What the text of an option may depend on besides. */
export interface Surroundings {
  /** For relative paths. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** The text of a file that the option names. */
  readonly readFile: (path: string) => string;
}

/** How the text of a value becomes the value. */
export interface ValueKind<T> {
  /** Undefined where it cannot be read. May throw instead, where there is more to say than `fault` does. */
  readonly parse: (text: string, where: Surroundings) => T | undefined;
  /** What is wrong with a text that cannot be read, as it follows the text: `is not a whole number`. */
  readonly fault: string;
}

/** The value of a text. Throws `invalid-argument`, which begins with `option`, the name that it was given by. */
export function readValue<T>(
  { parse, fault }: ValueKind<T>,
  text: string,
  option: string,
  where: Surroundings,
): T {
  const value = parse(text, where);
  if (value !== undefined) return value;
  throw new OcitsError('invalid-argument', `${option}: ${JSON.stringify(text)} ${fault}`);
}
