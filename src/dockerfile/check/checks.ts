/**
 * The room of checks: BuildKit's rules on how a Dockerfile is written, each a function that gives what it has found.
 * `parse` runs them on a file that it has read; the planning of a build adds what is known only with values. A
 * finding is a warning, unless `# check=error=true` makes it an error.
 *
 *     const warnings = runChecks({ dockerfile, lines });
 *     const told = toldWarnings(dockerfile, [undefinedVariable('VERSON', word, ['VERSION'])]);
 */

import { parseBoolean } from '../../options/boolean.ts';
import { splitPair } from '../../options/pair.ts';
import { dockerfileError } from '../dockerfile-error.ts';
import type { Dockerfile, DockerfileWarning } from '../instruction.ts';
import type { Word } from '../source.ts';
import type { CheckInput, Rule } from './rule.ts';
import { STAGE_RULES } from './stages.ts';
import { STYLE_RULES } from './style.ts';
import { VALUE_RULES } from './values.ts';

const RULES: Readonly<Record<string, Rule>> = { ...STYLE_RULES, ...STAGE_RULES, ...VALUE_RULES };

/** Runs all rules (BuildKit's names), and gives what is to be told of what they found. Throws as `toldWarnings`. */
export function runChecks(input: CheckInput): DockerfileWarning[] {
  const found = Object.entries(RULES).flatMap(([rule, find]) =>
    Array.from(find(input), (finding) => ({ rule, ...finding })),
  );
  return toldWarnings(input.dockerfile, found);
}

/**
 * All warnings but those of rules that `# check=skip=…` names, in the order of the lines. Throws `syntax` where the
 * directive is faulty, or says `error=true` and any is left.
 */
export function toldWarnings(
  { file, directives }: Pick<Dockerfile, 'file' | 'directives'>,
  found: readonly DockerfileWarning[],
): DockerfileWarning[] {
  const options = readOptions(file, directives.get('check'));
  const warnings = found
    .filter(({ rule }) => !options.skip.has('all') && !options.skip.has(rule.toLowerCase()))
    .sort((a, b) => a.range.start.line - b.range.start.line);
  const [first] = warnings;
  if (options.error && first !== undefined) {
    throw dockerfileError(file, first.range.start, `${first.message} (${first.rule})`, {
      hint: `the file says "check=error=true"; skip the rule with check=skip=${first.rule}`,
    });
  }
  return warnings;
}

function readOptions(file: string, word: Word | undefined): { skip: ReadonlySet<string>; error: boolean } {
  const skip = new Set<string>();
  let error = false;
  for (const part of word?.text.split(';') ?? []) {
    const [key, value = ''] = splitPair(part).map((text) => text?.trim());
    const isOn = key === 'error' ? parseBoolean(value) : undefined;
    if (key === 'skip' || key === 'experimental') {
      if (key === 'skip') for (const name of value.split(',')) skip.add(name.trim().toLowerCase());
    } else if (isOn !== undefined) error = isOn;
    else {
      throw dockerfileError(file, word!.at, `invalid check option ${JSON.stringify(part.trim())}`, {
        hint: 'write it like check=skip=RuleName,OtherRule;error=true',
      });
    }
  }
  return { skip, error };
}
