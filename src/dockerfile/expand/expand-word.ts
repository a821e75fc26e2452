import { OcitsError } from '../../errors.ts';
import { isSpace } from '../text/characters.ts';
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
  return { text, words, used: reader.used, missing: reader.missing };
}

const MAX_DEPTH = 1000;

/** Gathers words: raw text joins the word under way, other text divides at its white space. */
class WordList {
  readonly words: string[] = [];
  #word = '';

  add(text: string): void {
    for (const char of text) {
      if (isSpace(char)) this.end();
      else this.#word += char;
    }
  }

  addRaw(text: string): void {
    this.#word += text;
  }

  end(): void {
    if (this.#word !== '') this.words.push(this.#word);
    this.#word = '';
  }
}

class WordReader {
  readonly used = new Set<string>();
  readonly missing = new Set<string>();
  readonly #chars: readonly string[];
  readonly #env: Environment;
  readonly #options: ExpandOptions;
  #at = 0;
  #depth = 0;

  constructor(source: string, env: Environment, options: ExpandOptions) {
    this.#chars = Array.from(source);
    this.#env = env;
    this.#options = options;
  }

  /** Reads to the first unquoted `stop`, and over it, or to the end where `stop` is undefined. */
  readUntil(stop: string | undefined, rawEscapes: boolean): { text: string; words: string[] } {
    const list = new WordList();
    let text = '';
    for (;;) {
      const char = this.#chars[this.#at];
      if (char === stop) break;
      if (char === undefined) throw new OcitsError('syntax', `missing '${stop}' in a substitution`);
      this.#at++;
      if (char === '$') {
        const value = this.#readVariable();
        list.add(value);
        text += value;
        continue;
      }
      let raw: string | undefined;
      if (char === this.#options.escapeChar) raw = this.#readEscaped(rawEscapes);
      else if (char === "'" && !this.#options.skipQuotes) raw = this.#readSingleQuoted();
      else if (char === '"' && !this.#options.skipQuotes) raw = this.#readDoubleQuoted(rawEscapes);
      else if (char === '<') raw = this.#readAngle();
      if (raw === undefined) list.add(char);
      else list.addRaw(raw);
      text += raw ?? char;
    }
    this.#at++;
    list.end();
    return { text, words: list.words };
  }

  #readEscaped(rawEscapes: boolean): string {
    const next = this.#chars[this.#at++] ?? '';
    return rawEscapes ? this.#options.escapeChar + next : next;
  }

  /** Space behind `<<` belongs to the word: the name of a here-document may follow it. */
  #readAngle(): string {
    if (this.#chars[this.#at] !== '<') return '<';
    let text = '<<';
    for (this.#at++; isBlank(this.#chars[this.#at]); this.#at++) text += this.#chars[this.#at];
    return text;
  }

  #readSingleQuoted(): string {
    const end = this.#chars.indexOf("'", this.#at);
    if (end < 0) throw new OcitsError('syntax', 'a single quote is not closed');
    const text = this.#chars.slice(this.#at, end).join('');
    this.#at = end + 1;
    return this.#options.rawQuotes ? `'${text}'` : text;
  }

  #readDoubleQuoted(rawEscapes: boolean): string {
    const { escapeChar } = this.#options;
    let text = '';
    for (;;) {
      const char = this.#chars[this.#at++];
      if (char === undefined) throw new OcitsError('syntax', 'a double quote is not closed');
      if (char === '"') break;
      if (char === '$') text += this.#readVariable();
      else if (char === escapeChar) {
        const next = this.#chars[this.#at];
        if (rawEscapes) text += escapeChar;
        // Within double quotes the escape character is special only before these.
        if (next === '"' || next === '$' || next === escapeChar) text += this.#chars[this.#at++];
        else if (next !== undefined) text += escapeChar;
      } else text += char;
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
    if (this.#chars[this.#at] !== '{') {
      const name = this.#readName();
      if (name === '') return '$';
      const value = this.#lookUp(name);
      return value ?? (this.#options.keepUnset ? `$${name}` : '');
    }
    this.#at++;
    const first = this.#chars[this.#at];
    if (first === undefined) throw new OcitsError('syntax', "missing '}' in a substitution");
    if ('{}:'.includes(first)) throw new OcitsError('syntax', 'bad substitution');
    const name = this.#readName();
    const operator = this.#readOperator();
    if (operator === '/' || operator === '//') return this.#replace(name, operator);
    return this.#substitute(name, operator);
  }

  #readOperator(): string {
    const first = this.#chars[this.#at++] ?? '';
    const second = this.#chars[this.#at] ?? '';
    if (first === '/' && second === '/') return first + this.#chars[this.#at++];
    if (first !== ':') return first;
    this.#at++;
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
    (value === undefined ? this.missing : this.used).add(name);
    return value;
  }

  /** Letters, digits and `_`; digits alone where it begins with one; or one of the shell's special parameters. */
  #readName(): string {
    let name = '';
    let form = /[\p{L}\p{Nd}_]/u;
    for (; this.#at < this.#chars.length; this.#at++) {
      const char = this.#chars[this.#at]!;
      if (name === '') {
        if (/\p{Nd}/u.test(char)) form = /\p{Nd}/u;
        else if ('@*#?-$!'.includes(char)) {
          this.#at++;
          return char;
        }
      }
      if (!form.test(char)) break;
      name += char;
    }
    return name;
  }
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\r';
}
