import { isOcitsError, OcitsError } from '../../errors.ts';
import { type Pattern, PatternList, parsePattern } from '../source/pattern.ts';

/** The rules of a `.dockerignore`, and the file they are from. */
export interface IgnoreRules {
  /** As messages name it; undefined where there is no such file. */
  readonly file: string | undefined;
  readonly patterns: PatternList;
}

export const NOTHING_IGNORED: IgnoreRules = { file: undefined, patterns: new PatternList([]) };

/**
 * Reads a `.dockerignore`: one pattern a line; lines that begin with `#` are comments; a byte-order mark and white space
 * around a pattern do not count. Throws `syntax` with file and line on a bad pattern.
 */
export function parseIgnoreFile(content: string, file: string): IgnoreRules {
  const patterns: Pattern[] = [];
  for (const [index, text] of content
    .replace(/^\ufeff/, '')
    .split('\n')
    .entries()) {
    if (text.startsWith('#')) continue;
    try {
      const pattern = parsePattern(text, index + 1);
      if (pattern !== undefined) patterns.push(pattern);
    } catch (error) {
      if (!isOcitsError(error)) throw error;
      throw new OcitsError(error.code, error.message, { location: { file, line: index + 1, column: 1 } });
    }
  }
  return { file, patterns: new PatternList(patterns) };
}

/** Why a path is ignored, for people: `"*.log" in .dockerignore, line 3`. */
export function explainPattern(rules: IgnoreRules, pattern: Pattern): string {
  return `${JSON.stringify(pattern.source)} in ${rules.file ?? 'the patterns'}, line ${pattern.line}`;
}
