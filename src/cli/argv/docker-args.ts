import { OcitsError } from '../../errors.ts';
import { parseBoolean } from '../../options/boolean.ts';
import { splitPair } from '../../options/pair.ts';

/** What the reading of a command line needs to know of a flag: a part of oclif's own definition. */
export interface FlagShape {
  readonly name: string;
  readonly type: 'boolean' | 'option';
  readonly char?: string | undefined;
  readonly multiple?: boolean | undefined;
  /** A boolean that is true unless it is taken back, which oclif reads as `--no-name`. */
  readonly allowNo?: boolean | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly charAliases?: readonly string[] | undefined;
  /** Of a flag that does nothing any more: what its use is answered with. */
  readonly retired?: string | undefined;
  /** Why a second one is refused, where the last one does not simply count. */
  readonly onlyOnce?: string | undefined;
  /** All values that there are. */
  readonly options?: readonly string[] | undefined;
  /** Of a flag that is not there yet: the values that it may have all the same. A boolean may always be false. */
  readonly missing?: { readonly harmless: readonly string[]; readonly hint: string } | undefined;
}

export interface ArgvRules {
  /** Whether flags may follow the first argument. False for `run` and `exec`: there flags end at the image. */
  readonly interspersed: boolean;
  /** Told of each flag that does nothing any more, in Docker's words. */
  readonly onRetired?: ((line: string) => void) | undefined;
}

/** Marks a value that begins with a dash, which oclif would take for a flag. No argument of a process can hold it. */
export const VALUE_MARK = '\0';

/** Thrown where `--help`, or `-h`, stands among the flags of a command that has no such flag of its own. */
export class HelpAsked extends Error {}

/**
 * Reads a command line as Docker does (pflag) and writes it as oclif reads it: `-dit` is three flags, `--rm=false`
 * a value, the last of a repeated scalar flag counts, a multiple flag takes one value each time, and `--` or
 * (where flags are not interspersed) the first argument ends the flags. The result has every flag in its long
 * form, then `--`, then the arguments. Throws `usage` in Docker's words, HelpAsked, and
 * `unsupported` for a flag that is not there yet.
 */
export function canonicalArgv(
  argv: readonly string[],
  flags: readonly FlagShape[],
  rules: ArgvRules,
): string[] {
  const reader = new ArgvReader(flags, rules.onRetired);
  const queue = [...argv];
  const args: string[] = [];
  while (queue.length > 0) {
    const word = queue.shift()!;
    if (word === '--') {
      args.push(...queue);
      break;
    }
    if (word.startsWith('--')) reader.long(word, queue);
    else if (word.startsWith('-') && word !== '-') reader.short(word, queue);
    else {
      args.push(word);
      if (!rules.interspersed) {
        args.push(...queue);
        break;
      }
    }
  }
  return [...reader.words(), '--', ...args];
}

class ArgvReader {
  readonly #long = new Map<string, FlagShape>();
  readonly #short = new Map<string, FlagShape>();
  readonly #values = new Map<FlagShape, (string | boolean)[]>();

  readonly #onRetired: ArgvRules['onRetired'];

  constructor(flags: readonly FlagShape[], onRetired: ArgvRules['onRetired']) {
    this.#onRetired = onRetired;
    for (const flag of flags) {
      for (const name of [flag.name, ...(flag.aliases ?? [])]) this.#long.set(name, flag);
      for (const char of [flag.char, ...(flag.charAliases ?? [])])
        if (char !== undefined) this.#short.set(char, flag);
    }
  }

  long(word: string, queue: string[]): void {
    const [name, value] = splitPair(word.slice(2));
    const flag = this.#long.get(name);
    if (flag === undefined && name === 'help') throw new HelpAsked();
    if (flag === undefined) throw usage(name === '' ? `bad flag syntax: ${word}` : `unknown flag: --${name}`);
    if (value !== undefined) this.#set(flag, value, `--${name}`);
    else if (flag.type === 'boolean') this.#set(flag, 'true', `--${name}`);
    else this.#set(flag, next(queue, `flag needs an argument: --${name}`), `--${name}`);
  }

  short(word: string, queue: string[]): void {
    for (let at = 1; at < word.length; at++) {
      const char = word[at]!;
      const flag = this.#short.get(char);
      if (flag === undefined && char === 'h') throw new HelpAsked();
      if (flag === undefined) throw usage(`unknown shorthand flag: '${char}' in ${word}`);
      const rest = word.slice(at + 1);
      if (flag.type === 'boolean' && !rest.startsWith('=')) {
        this.#set(flag, 'true', `-${char}`);
        continue;
      }
      const value =
        rest === '' ? next(queue, `flag needs an argument: '${char}' in ${word}`) : rest.replace(/^=/, '');
      this.#set(flag, value, `-${char}`);
      return;
    }
  }

  /** All flags in their long form; a boolean that is false is left out, unless true is its default. */
  words(): string[] {
    const words: string[] = [];
    for (const [flag, values] of this.#values) {
      for (const value of flag.multiple ? values : values.slice(-1)) {
        if (value === true) words.push(`--${flag.name}`);
        else if (value === false) words.push(...(flag.allowNo === true ? [`--no-${flag.name}`] : []));
        else words.push(`--${flag.name}`, value.startsWith('-') ? `${VALUE_MARK}${value}` : value);
      }
    }
    return words;
  }

  #set(flag: FlagShape, text: string, spelled: string): void {
    const value = flag.type === 'boolean' ? readBoolean(text, spelled) : text;
    if (flag.options?.includes(text) === false)
      throw invalid(text, spelled, `one of ${flag.options.join(', ')}`);
    if (flag.missing !== undefined && value !== false && !flag.missing.harmless.includes(text)) {
      throw new OcitsError(
        'unsupported',
        `${value === true ? spelled : `${spelled} ${text}`} is not there yet`,
        {
          hint: flag.missing.hint,
        },
      );
    }
    if (flag.retired !== undefined)
      this.#onRetired?.(`Flag --${flag.name} has been deprecated, ${flag.retired}`);
    const values = this.#values.get(flag);
    if (values !== undefined && flag.onlyOnce !== undefined)
      throw new OcitsError('unsupported', `${spelled} ${text}: ${flag.onlyOnce}`);
    if (values === undefined) this.#values.set(flag, [value]);
    else values.push(value);
  }
}

function readBoolean(text: string, spelled: string): boolean {
  const value = parseBoolean(text);
  if (value !== undefined) return value;
  throw invalid(text, spelled, 'true or false');
}

function invalid(text: string, spelled: string, allowed: string): OcitsError {
  return usage(`invalid argument ${JSON.stringify(text)} for "${spelled}" flag: it is ${allowed}`);
}

function next(queue: string[], message: string): string {
  const value = queue.shift();
  if (value === undefined) throw usage(message);
  return value;
}

function usage(message: string): OcitsError {
  return new OcitsError('usage', message, { exitCode: 125 });
}
