import { OcitsError } from '../../errors.ts';
import type { BytePath } from '../../layer/layer-change.ts';
import { globExpression } from '../../options/glob-expression.ts';
import { isAscii, toText } from './path.ts';

/** One pattern of a `.dockerignore`, of `--exclude` or of `--parents`, by the rules of moby/patternmatcher. */
export interface Pattern {
  /** As it was written. */
  readonly source: string;
  /** The line of the file that has it; 0 where it is from no file. */
  readonly line: number;
  /** `!`: what it matches is back in. */
  readonly negated: boolean;
  /** How many parts a path must have for it to match; undefined where `**` leaves that open. */
  readonly parts: number | undefined;
  readonly test: (path: string) => boolean;
  /** Whether it could match something below the folder with these parts. */
  readonly reachesBelow: (parts: readonly string[]) => boolean;
}

/**
 * Reads a pattern: `*`, `?` and `[…]` do not cross slashes, `**` does. Slashes and spaces around it do not count, `.`
 * and `..` are resolved. Undefined where nothing is left. Throws `syntax` on `!` alone and on a bad class or escape.
 */
export function parsePattern(source: string, line = 0): Pattern | undefined {
  let text = source.trim();
  const negated = text.startsWith('!');
  if (negated) text = text.slice(1).trim();
  if (text === '') {
    if (negated) throw badPattern(source, 'excludes nothing');
    return undefined;
  }
  const clean = cleanPattern(text);
  return {
    source: source.trim(),
    line,
    negated,
    parts: clean?.includes('**') === true ? undefined : (clean?.split('/').length ?? 0),
    test: clean === undefined ? () => false : compile(source, clean),
    reachesBelow: clean === undefined ? () => false : compileReach(source, clean),
  };
}

/**
 * As Go's filepath.Clean does, without a slash in front. `..` does not leave the root of a pattern that begins with a
 * slash; undefined for one that leaves the folder otherwise, which matches nothing.
 */
function cleanPattern(text: string): string | undefined {
  const parts: string[] = [];
  for (const part of text.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined && !text.startsWith('/')) return undefined;
    } else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.length === 0 ? undefined : parts.join('/');
}

const SPECIAL = /[*?[\\]/;

function compile(source: string, clean: string): (path: string) => boolean {
  if (!SPECIAL.test(clean)) return (path) => path === clean;
  // `**` in front of plain text is a suffix, at no border of a name: `**.md` means all of them.
  const suffix = clean.startsWith('**') ? clean.slice(2) : undefined;
  if (suffix !== undefined && !SPECIAL.test(suffix)) {
    return (path) => path.endsWith(suffix) || `/${path}` === suffix;
  }
  const form = globExpression(clean, { doubleStar: true, written: source });
  return (path) => form.test(path);
}

/** Part by part: a pattern without `**` matches only what has as many parts. */
function compileReach(source: string, clean: string): (parts: readonly string[]) => boolean {
  const own = clean.split('/');
  const open = own.findIndex((part) => part.includes('**'));
  const tests = own.slice(0, open < 0 ? own.length : open).map((part) => compile(source, part));
  return (parts) => {
    if (open < 0 && parts.length >= own.length) return false;
    return tests.every((test, index) => index >= parts.length || test(parts[index]!));
  };
}

function badPattern(source: string, fault: string): OcitsError {
  return new OcitsError('syntax', `pattern ${JSON.stringify(source)} ${fault}`);
}

function countParts(path: string): number {
  let count = 1;
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) count++;
  return count;
}

/** For each pattern, whether it matches a path or a folder above it. */
export type MatchState = readonly boolean[];

export interface MatchResult {
  /** The pattern that decides, where the path is matched in the end. */
  readonly decidedBy: Pattern | undefined;
  readonly state: MatchState;
}

/** Patterns in their order: the last one that matches a path, or a folder above it, decides. */
export class PatternList {
  readonly patterns: readonly Pattern[];
  readonly #none: MatchState;

  constructor(patterns: readonly Pattern[]) {
    this.patterns = patterns;
    this.#none = patterns.map(() => false);
  }

  /** The state of the root, which no pattern matches. */
  get root(): MatchState {
    return this.#none;
  }

  /** `parent`: the state of the folder that the path is in. */
  match(path: BytePath, parent: MatchState): MatchResult {
    if (this.patterns.length === 0) return { decidedBy: undefined, state: parent };
    const text = isAscii(path) ? path : toText(path);
    const parts = countParts(text);
    let state = parent;
    let decidedBy: Pattern | undefined;
    for (let index = 0; index < this.patterns.length; index++) {
      const pattern = this.patterns[index]!;
      const isAbove = parent[index]!;
      // Most patterns are for the root's own names; counting is cheaper than trying them on all that lies below.
      if (!isAbove && pattern.parts !== undefined && pattern.parts !== parts) continue;
      if (!isAbove && !pattern.test(text)) continue;
      decidedBy = pattern.negated ? undefined : pattern;
      if (!isAbove) state = state.with(index, true);
    }
    return { decidedBy, state };
  }

  /** The same for a path whose folders have not been looked at. */
  matchWhole(path: BytePath): MatchResult {
    let result: MatchResult = { decidedBy: undefined, state: this.#none };
    for (let slash = path.indexOf('/'); ; slash = path.indexOf('/', slash + 1)) {
      result = this.match(slash < 0 ? path : path.slice(0, slash), result.state);
      if (slash < 0) return result;
    }
  }

  /** Whether a `!` pattern could bring back something below the folder `path`: if not, nobody needs to look there. */
  mayReinclude(path: BytePath): boolean {
    const parts = toText(path).split('/');
    return this.patterns.some(({ negated, reachesBelow }) => negated && reachesBelow(parts));
  }

  /** Whether a pattern could match something below the folder `path`. */
  mayMatchBelow(path: BytePath): boolean {
    const parts = toText(path).split('/');
    return this.patterns.some(({ negated, reachesBelow }) => !negated && reachesBelow(parts));
  }
}
