import { OcitsError } from '../../errors.ts';
import { replacePattern, trimPrefix, trimSuffix } from './shell-pattern.ts';

export type Environment = ReadonlyMap<string, string>;

export interface ExpandOptions {
  readonly escapeChar: '\\' | '`';
  /** Quotes stay in the result. */
  readonly rawQuotes?: boolean | undefined;
  /** Escape characters stay in the result. */
  readonly rawEscapes?: boolean | undefined;
  /** Quotes are characters like any other, as in a here-document. */
  readonly skipQuotes?: boolean | undefined;
  /** A variable that is not set stays as it was written. */
  readonly keepUnset?: boolean | undefined;
}

export interface Expansion {
  readonly text: string;
  /** The same, divided at white space outside quotes. */
  readonly words: readonly string[];
  /** Variables that were set and that were not. */
  readonly used: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
}

/**
 * Takes quotes and escapes away and replaces variables: `$x`, `${x}`, `${x:-word}`, `:+`, `:?`, the same without the
 * colon, `${x#p}`, `##`, `%`, `%%`, `${x/p/r}` and `${x//p/r}`. Throws `syntax` without a place.
 */
export function expandText(source: string, env: Environment, options: ExpandOptions): Expansion {
  const reader = new WordReader(source, env, options);
  const { text, words } = reader.readUntil(undefined, options.rawEscapes ?? false);
  return { text, words, used: reader.used ?? NOTHING, missing: reader.missing ?? NOTHING };
}

const MAX_DEPTH = 1000;
const NOTHING: ReadonlySet<string> = new Set();
const SPACES = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g;

/** Gathers words: raw text joins the word under way, other text divides at its white space. */
class WordList {
  readonly words: string[] = [];
  #word = '';

  add(text: string): void {
    let start = 0;
    for (const { index, 0: spaces } of text.matchAll(SPACES)) {
      this.#word += text.slice(start, index);
      this.end();
      start = index + spaces.length;
    }
    this.#word += text.slice(start);
  }

  addRaw(text: string): void {
    this.#word += text;
  }

  end(): void {
    if (this.#word !== '') this.words.push(this.#word);
    this.#word = '';
  }
}

/**
 * Reads a text by runs of what means only itself: taken character by character, one of megabytes would need a hundred
 * times its size.
 */
class WordReader {
  used: Set<string> | undefined;
  missing: Set<string> | undefined;
  readonly #source: string;
  readonly #env: Environment;
  readonly #options: ExpandOptions;
  readonly #runs = new Map<string, RegExp>();
  #at = 0;
  #depth = 0;

  constructor(source: string, env: Environment, options: ExpandOptions) {
    this.#source = source;
    this.#env = env;
    this.#options = options;
  }

  /** Reads to the first unquoted `stop`, and over it, or to the end where `stop` is undefined. */
  readUntil(stop: string | undefined, rawEscapes: boolean): { text: string; words: string[] } {
    const { escapeChar, skipQuotes } = this.#options;
    const specials = `$<${escapeChar}${skipQuotes ? '' : `'"`}${stop ?? ''}`;
    const list = new WordList();
    let text = '';
    for (;;) {
      const run = this.#readRun(specials);
      list.add(run);
      text += run;
      const char = this.#source[this.#at];
      if (char === stop) break;
      if (char === undefined) throw new OcitsError('syntax', `missing '${stop}' in a substitution`);
      this.#at++;
      if (char === '$') {
        const value = this.#readVariable();
        list.add(value);
        text += value;
        continue;
      }
      const raw = this.#readSpecial(char, rawEscapes);
      list.addRaw(raw);
      text += raw;
    }
    this.#at++;
    list.end();
    return { text, words: list.words };
  }

  #readSpecial(char: string, rawEscapes: boolean): string {
    if (char === this.#options.escapeChar) return this.#readEscaped(rawEscapes);
    if (char === "'") return this.#readSingleQuoted();
    return char === '"' ? this.#readDoubleQuoted(rawEscapes) : this.#readAngle();
  }

  /** All up to the first of `specials`. */
  #readRun(specials: string): string {
    let form = this.#runs.get(specials);
    if (form === undefined) {
      form = new RegExp(`[^${specials.replaceAll('\\', '\\\\')}]*`, 'y');
      this.#runs.set(specials, form);
    }
    return this.#match(form);
  }

  #match(form: RegExp): string {
    form.lastIndex = this.#at;
    const text = form.exec(this.#source)?.[0] ?? '';
    this.#at += text.length;
    return text;
  }

  #readEscaped(rawEscapes: boolean): string {
    const next = this.#source[this.#at++] ?? '';
    return rawEscapes ? this.#options.escapeChar + next : next;
  }

  /** Space behind `<<` belongs to the word: the name of a here-document may follow it. */
  #readAngle(): string {
    return `<${this.#match(/(?:<[ \t\r]*)?/y)}`;
  }

  #readSingleQuoted(): string {
    const end = this.#source.indexOf("'", this.#at);
    if (end < 0) throw new OcitsError('syntax', 'a single quote is not closed');
    const text = this.#source.slice(this.#at, end);
    this.#at = end + 1;
    return this.#options.rawQuotes ? `'${text}'` : text;
  }

  #readDoubleQuoted(rawEscapes: boolean): string {
    const { escapeChar } = this.#options;
    let text = '';
    for (;;) {
      text += this.#readRun(`"$${escapeChar}`);
      const char = this.#source[this.#at++];
      if (char === undefined) throw new OcitsError('syntax', 'a double quote is not closed');
      if (char === '"') break;
      if (char === '$') text += this.#readVariable();
      else {
        const next = this.#source[this.#at];
        if (rawEscapes) text += escapeChar;
        // Within double quotes the escape character is special only before these.
        if (next === '"' || next === '$' || next === escapeChar) text += this.#source[this.#at++];
        else if (next !== undefined) text += escapeChar;
      }
    }
    return this.#options.rawQuotes ? `"${text}"` : text;
  }

  /** What stands for a variable; the `$` is read already. */
  #readVariable(): string {
    if (++this.#depth > MAX_DEPTH) throw new OcitsError('syntax', 'substitutions are nested too deep');
    const value = this.#readDollar();
    this.#depth--;
    return value;
  }

  #readDollar(): string {
    if (this.#source[this.#at] !== '{') {
      const name = this.#readName();
      if (name === '') return '$';
      const value = this.#lookUp(name);
      return value ?? (this.#options.keepUnset ? `$${name}` : '');
    }
    this.#at++;
    const first = this.#source[this.#at];
    if (first === undefined) throw new OcitsError('syntax', "missing '}' in a substitution");
    if ('{}:'.includes(first)) throw new OcitsError('syntax', 'bad substitution');
    const name = this.#readName();
    const operator = this.#readOperator();
    if (operator === '/' || operator === '//') return this.#replace(name, operator);
    return this.#substitute(name, operator);
  }

  #readOperator(): string {
    const first = this.#match(/./suy);
    if (first === '/') return first + this.#match(/\/?/y);
    if (first !== ':') return first;
    const second = this.#match(/./suy);
    if ('-+?'.includes(second) && second !== '') return first + second;
    throw new OcitsError('syntax', `unsupported modifier ${first}${second} in a substitution`);
  }

  #substitute(name: string, operator: string): string {
    if (operator === '}') return this.#lookUp(name) ?? (this.#options.keepUnset ? `\${${name}}` : '');
    const kind = operator.at(-1) ?? '';
    if (kind === '') throw new OcitsError('syntax', "missing '}' in a substitution");
    if (!'-+?#%'.includes(kind)) {
      throw new OcitsError('syntax', `unsupported modifier ${operator} in a substitution`);
    }
    const word = this.readUntil('}', kind === '#' || kind === '%').text;
    const value = this.#lookUp(name);
    if (value === undefined && this.#options.keepUnset) return `\${${name}${operator}${word}}`;
    const given = value !== undefined && !(operator.startsWith(':') && value === '');
    if (kind === '-') return given ? value : word;
    if (kind === '+') return given ? word : '';
    if (kind === '?') {
      if (given) return value;
      const state = value === undefined ? 'unset' : 'empty';
      throw new OcitsError('syntax', `${name}: ${word === '' ? `is not allowed to be ${state}` : word}`);
    }
    const longest = word.startsWith(kind);
    const trim = kind === '#' ? trimPrefix : trimSuffix;
    return trim(value ?? '', longest ? word.slice(1) : word, longest);
  }

  #replace(name: string, operator: '/' | '//'): string {
    const pattern = this.readUntil('/', true).text;
    const replacement = this.readUntil('}', true).text;
    const value = this.#lookUp(name);
    if (value === undefined && this.#options.keepUnset)
      return `\${${name}${operator}${pattern}/${replacement}}`;
    return replacePattern(value ?? '', pattern, replacement, operator === '//');
  }

  #lookUp(name: string): string | undefined {
    const value = this.#env.get(name);
    if (value === undefined) this.missing = (this.missing ?? new Set()).add(name);
    else this.used = (this.used ?? new Set()).add(name);
    return value;
  }

  /** Letters, digits and `_`; digits alone where it begins with one; or one of the shell's special parameters. */
  #readName(): string {
    return this.#match(/\p{Nd}+|[@*#?$!-]|[\p{L}\p{Nd}_]+/uy);
  }
}
