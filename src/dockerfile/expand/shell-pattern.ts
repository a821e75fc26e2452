import { OcitsError } from '../../errors.ts';

/** One step of a pattern: a character as it is, any one character (`?`), or any run of characters (`*`). */
type Step = { readonly char: string } | 'any' | 'run';

/**
 * A pattern of `${x#…}`, `${x%…}` and `${x/…/…}`: `*`, `?`, and `\` before `*`, `?`, `\`, `/` and `}`. Brackets
 * mean themselves, as in BuildKit. Throws `syntax` for any other escape.
 */
function parseShellPattern(text: string): readonly Step[] {
  const steps: Step[] = [];
  const chars = Array.from(text);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i]!;
    if (char === '*') steps.push('run');
    else if (char === '?') steps.push('any');
    else if (char === '\\') {
      const next = chars[++i];
      if (next === undefined || !'*?\\/}'.includes(next)) {
        throw new OcitsError(
          'syntax',
          `invalid escape \\${next ?? ''} in the pattern ${JSON.stringify(text)}`,
        );
      }
      steps.push({ char: next });
    } else steps.push({ char });
  }
  return steps;
}

/**
 * The lengths of the shortest and of the longest run of `chars` from `start` on that `steps` match; undefined where
 * none does. All states are followed at once, so that no pattern takes more than steps times characters.
 */
function matchFrom(
  steps: readonly Step[],
  chars: readonly string[],
  start: number,
): { readonly shortest: number; readonly longest: number } | undefined {
  let states = closure(steps, [0]);
  let shortest: number | undefined;
  let longest: number | undefined;
  for (let i = start; ; i++) {
    if (states.includes(steps.length)) {
      shortest ??= i - start;
      longest = i - start;
    }
    if (i === chars.length || states.length === 0) break;
    const next: number[] = [];
    for (const state of states) {
      const step = steps[state];
      if (step === 'run') next.push(state);
      else if (step === 'any' || (step !== undefined && step.char === chars[i])) next.push(state + 1);
    }
    states = closure(steps, next);
  }
  return shortest === undefined ? undefined : { shortest, longest: longest! };
}

/** The states reached without a character: a `*` may stand for nothing. Ascending, without doubles. */
function closure(steps: readonly Step[], states: readonly number[]): number[] {
  const reached: number[] = [];
  for (const state of states) {
    let at = state;
    if (reached.length > 0 && at <= reached.at(-1)!) continue;
    reached.push(at);
    while (steps[at] === 'run') reached.push(++at);
  }
  return reached;
}

/** `${x#pattern}` and, `longest`, `${x##pattern}`. */
export function trimPrefix(value: string, pattern: string, longest: boolean): string {
  const chars = Array.from(value);
  const match = matchFrom(parseShellPattern(pattern), chars, 0);
  if (match === undefined) return value;
  return chars.slice(longest ? match.longest : match.shortest).join('');
}

/** `${x%pattern}` and, `longest`, `${x%%pattern}`. */
export function trimSuffix(value: string, pattern: string, longest: boolean): string {
  const chars = Array.from(value).reverse();
  const match = matchFrom(parseShellPattern(pattern).toReversed(), chars, 0);
  if (match === undefined) return value;
  return chars
    .slice(longest ? match.longest : match.shortest)
    .reverse()
    .join('');
}

/** `${x/pattern/replacement}` and, `all`, `${x//pattern/replacement}`: the longest match from the left on. */
export function replacePattern(value: string, pattern: string, replacement: string, all: boolean): string {
  const chars = Array.from(value);
  const steps = parseShellPattern(pattern);
  let result = '';
  let at = 0;
  while (at <= chars.length) {
    const match = matchFrom(steps, chars, at);
    if (match !== undefined) {
      result += replacement;
      if (!all) return result + chars.slice(at + match.longest).join('');
      at += match.longest;
      if (match.longest > 0) continue;
    }
    // What begins with `*` and does not match from here matches from no later place.
    if (match === undefined && steps[0] === 'run') return result + chars.slice(at).join('');
    result += chars[at] ?? '';
    at++;
  }
  return result;
}
