import { OcitsError } from '../../errors.ts';
import { splitPair } from '../../options/pair.ts';

/** A name that is to have the value it has in ocits's own environment. */
function inherited(name: string, env: NodeJS.ProcessEnv): string {
  const value = env[name];
  return value === undefined ? name : `${name}=${value}`;
}

/**
 * The variable that `-e` gives: `NAME=value`, or `NAME` for the value it has in `env`. A name that `env` does not have
 * stays alone, which takes the image's away. Undefined where there is no name.
 */
export function parseEnvFlag(text: string, env: NodeJS.ProcessEnv): string | undefined {
  const [name, value] = splitPair(text);
  if (name === '') return undefined;
  return value === undefined ? inherited(name, env) : text;
}

/**
 * Reads a file for `--env-file`, as Docker does: `NAME=value` a line, taken as it stands without quotes or expansion;
 * `NAME` alone for the value it has in `env`, if any; empty lines and `#` comments. Throws `syntax` with the line.
 */
export function parseEnvFile(content: string, file: string, env: NodeJS.ProcessEnv): string[] {
  const variables: string[] = [];
  for (const [index, raw] of content
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    const line = raw.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const [name, value] = splitPair(line);
    if (name === '' || /\s/.test(name)) {
      throw new OcitsError('syntax', `${JSON.stringify(name)} cannot be the name of a variable`, {
        location: { file, line: index + 1 },
      });
    }
    if (value !== undefined) variables.push(line);
    else if (env[name] !== undefined) variables.push(inherited(name, env));
  }
  return variables;
}
