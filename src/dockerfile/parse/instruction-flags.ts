import { splitPair } from '../../options/pair.ts';
import { dockerfileError } from '../dockerfile-error.ts';
import type { SourcePosition, Word } from '../source.ts';
import { isSpace } from '../text/characters.ts';
import { didYouMean } from '../text/suggest.ts';

/** A flag of an instruction as it stands there, `--name=value`, quotes and escapes taken away. */
export interface RawFlag {
  readonly text: string;
  /** Offset in the logical line of its first dash. */
  readonly offset: number;
}

/**
 * Takes the flags off the front of what follows an instruction's keyword, and gives the offset of what is left.
 * A flag ends at white space that is neither quoted nor escaped; `--` alone ends them.
 */
export function takeFlags(
  text: string,
  start: number,
  escapeChar: string,
): { readonly flags: readonly RawFlag[]; readonly rest: number } {
  const flags: RawFlag[] = [];
  let at = start;
  for (;;) {
    while (at < text.length && isSpace(text[at]!)) at++;
    if (!text.startsWith('--', at)) return { flags, rest: at };
    const flag = readFlag(text, at, escapeChar);
    if (flag.text === '--') return { flags, rest: flag.end };
    flags.push({ text: flag.text, offset: at });
    at = flag.end;
  }
}

function readFlag(text: string, start: number, escapeChar: string): { text: string; end: number } {
  let word = '';
  let quote = '';
  // What stands for itself is taken in one piece.
  let taken = start;
  let i = start;
  const skip = (next: number) => {
    word += text.slice(taken, i);
    taken = next;
  };
  for (; i < text.length; i++) {
    const char = text[i]!;
    if (quote === '' && isSpace(char)) break;
    if (char === escapeChar) {
      skip(i + 1);
      i++;
    } else if (quote === '' && (char === '"' || char === "'")) {
      skip(i + 1);
      quote = char;
    } else if (quote !== '' && char === quote) {
      skip(i + 1);
      quote = '';
    }
  }
  skip(i);
  return { text: word, end: Math.min(i, text.length) };
}

/** The flags of one instruction, read one by one by name; `done` refuses what nobody asked for. */
export class FlagSet {
  readonly #file: string;
  readonly #keyword: string;
  readonly #flags: { name: string; value: string | undefined; at: SourcePosition; known: boolean }[];
  readonly #names: string[] = [];

  constructor(
    file: string,
    keyword: string,
    flags: readonly RawFlag[],
    positionOf: (offset: number) => SourcePosition,
  ) {
    this.#file = file;
    this.#keyword = keyword;
    this.#flags = flags.map(({ text, offset }) => {
      const [name, value] = splitPair(text.slice(2));
      return { name, value, at: positionOf(offset), known: false };
    });
  }

  /** All values of a flag that may be given several times. */
  strings(name: string): Word[] {
    return this.#take(name).map(({ value, at }) => {
      if (value === undefined) {
        throw dockerfileError(this.#file, at, `flag --${name} of ${this.#keyword} needs a value`, {
          hint: `write it as --${name}=VALUE`,
        });
      }
      return { text: value, at: { line: at.line, column: at.column + name.length + 3 } };
    });
  }

  /** The value of a flag that may be given once; an empty one counts as not given, as in BuildKit. */
  string(name: string): Word | undefined {
    const [word, second] = this.strings(name);
    if (second !== undefined) this.#refuseSecond(name, second.at);
    return word === undefined || word.text === '' ? undefined : word;
  }

  /** Undefined where it is not given. */
  boolean(name: string): boolean | undefined {
    const [flag, second] = this.#take(name);
    if (second !== undefined) this.#refuseSecond(name, second.at);
    if (flag === undefined) return undefined;
    // BuildKit's flags of instructions take these two words alone, in any case; not Go's other booleans.
    const value = flag.value?.toLowerCase() ?? 'true';
    if (value !== 'true' && value !== 'false') {
      throw dockerfileError(
        this.#file,
        flag.at,
        `flag --${name} of ${this.#keyword} is true or false, not ${JSON.stringify(flag.value)}`,
      );
    }
    return value === 'true';
  }

  /** Where each flag stands that was given. */
  positions(): Record<string, SourcePosition> {
    return Object.fromEntries(this.#flags.toReversed().map(({ name, at }) => [name, at]));
  }

  /** Throws `syntax` for the first flag that no call above asked for. */
  done(): void {
    const unknown = this.#flags.find(({ known }) => !known);
    if (unknown === undefined) return;
    const takes =
      this.#names.length === 0
        ? `${this.#keyword} takes no flags`
        : `${this.#keyword} takes ${this.#names.map((name) => `--${name}`).join(', ')}`;
    const hint = didYouMean(unknown.name, this.#names, '--') ?? takes;
    throw dockerfileError(this.#file, unknown.at, `unknown flag --${unknown.name} for ${this.#keyword}`, {
      hint,
    });
  }

  #take(name: string) {
    this.#names.push(name);
    const found = this.#flags.filter((flag) => flag.name === name);
    for (const flag of found) flag.known = true;
    return found;
  }

  #refuseSecond(name: string, at: SourcePosition): never {
    throw dockerfileError(this.#file, at, `flag --${name} of ${this.#keyword} is given twice`);
  }
}
