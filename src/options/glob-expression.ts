import { OcitsError } from '../errors.ts';

interface GlobOptions {
  /** Whether `**` crosses slashes, as in moby/patternmatcher; else it is one star. */
  readonly doubleStar?: boolean | undefined;
  /** For messages: the pattern as it was written. */
  readonly written?: string | undefined;
}

/**
 * The expression that matches what Go's path.Match lets the pattern match, as a whole: `*` and `?` do not cross
 * slashes, `[a-z]` and `[^a-z]` are classes, a backslash quotes. Throws `syntax` that quotes the pattern.
 */
export function globExpression(
  glob: string,
  { doubleStar = false, written = glob }: GlobOptions = {},
): RegExp {
  const source = expressionSource(glob, written, doubleStar);
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch {
    throw badPattern(written, 'has a range that runs backwards');
  }
}

function expressionSource(glob: string, written: string, doubleStar: boolean): string {
  const chars = Array.from(glob);
  let result = '';
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i]!;
    if (doubleStar && char === '*' && chars[i + 1] === '*') {
      i++;
      if (chars[i + 1] === '/') i++;
      // At the end it takes whatever follows; else any folders, or none.
      result += i + 1 >= chars.length ? '.*' : '(?:.*/)?';
    } else if (char === '*') result += '[^/]*';
    else if (char === '?') result += '[^/]';
    else if (char === '[') {
      const end = classEnd(written, chars, i);
      result += classToRegExp(chars.slice(i + 1, end));
      i = end;
    } else if (char === '\\') {
      const next = chars[++i];
      if (next === undefined) throw badPattern(written, 'ends in a backslash');
      result += literalChar(next);
    } else result += literalChar(char);
  }
  return result;
}

function classEnd(written: string, chars: readonly string[], start: number): number {
  let i = start + 1;
  if (chars[i] === '^') i++;
  if (chars[i] === ']') throw badPattern(written, 'has an empty class');
  for (; i < chars.length; i++) {
    if (chars[i] === '\\') i++;
    else if (chars[i] === ']') return i;
  }
  throw badPattern(written, 'has a "[" without its "]"');
}

/** Characters and ranges, each by its number, so that none of them means anything else in a regular expression. */
function classToRegExp(body: readonly string[]): string {
  const negated = body[0] === '^';
  const items: string[] = [];
  for (let i = negated ? 1 : 0; i < body.length; i++) {
    const char = body[i]!;
    if (char === '-' && items.length > 0 && i + 1 < body.length && items.at(-1) !== '-') items.push('-');
    else items.push(codePoint(char === '\\' ? (body[++i] ?? '\\') : char));
  }
  return `(?!/)[${negated ? '^' : ''}${items.join('')}]`;
}

function codePoint(char: string): string {
  return `\\u{${char.codePointAt(0)!.toString(16)}}`;
}

function literalChar(char: string): string {
  return /[\w/]/.test(char) ? char : codePoint(char);
}

function badPattern(written: string, fault: string): OcitsError {
  return new OcitsError('syntax', `pattern ${JSON.stringify(written)} ${fault}`);
}
