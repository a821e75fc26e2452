import type { FlagEntry, NamedThing } from '../../options/flag-table.ts';
import { splitPair } from '../../options/pair.ts';

/** What a place on the command line can hold: names of something, files, or one of a few words. */
export type CompletionPlace =
  | { readonly kind: 'names'; readonly of: NamedThing }
  | { readonly kind: 'files' }
  | { readonly kind: 'words'; readonly words: readonly string[] };

/** A word that can stand at the cursor, and what it means. */
export interface Candidate {
  readonly word: string;
  readonly description?: string | undefined;
}

/** What completion needs to know of a command: a part of its class. */
export interface CompletedCommand {
  readonly usage?: string | readonly string[] | undefined;
  readonly interspersed: boolean;
  readonly flags: Readonly<Record<string, { readonly entry: FlagEntry }>>;
}

/** What can stand at the cursor: flags are candidates themselves, other places are still to be looked up. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly places: readonly CompletionPlace[];
}

const NOTHING: Completion = { candidates: [], places: [] };

/**
 * What can stand at the end of a command's line. `words` are those behind the command's name; the last one is what is
 * being typed, which may be empty.
 */
export function completeCommand(command: CompletedCommand, words: readonly string[]): Completion {
  const current = words.at(-1) ?? '';
  const flags = new FlagIndex(command.flags);
  const { args, waiting, isEnded } = readLine(words.slice(0, -1), flags, command.interspersed);
  if (waiting !== undefined) return { candidates: [], places: flagPlaces(waiting) };
  if (!isEnded && current.startsWith('--') && current.includes('=')) return valueCompletion(current, flags);
  if (!isEnded && current.startsWith('-')) return { candidates: flags.candidates(), places: [] };
  return { candidates: [], places: argumentPlaces(command.usage, args) };
}

/** `--name=val`: the candidates have the flag in front. */
function valueCompletion(current: string, flags: FlagIndex): Completion {
  const [name] = splitPair(current.slice(2));
  const flag = flags.byName(name);
  if (flag === undefined || flag.entry.form === 'switch') return NOTHING;
  const words = flagPlaces(flag).flatMap((place) => (place.kind === 'words' ? place.words : []));
  return { candidates: words.map((word) => ({ word: `--${name}=${word}` })), places: [] };
}

interface NamedFlag {
  readonly name: string;
  readonly entry: FlagEntry;
}

class FlagIndex {
  readonly #flags: readonly NamedFlag[];

  constructor(flags: CompletedCommand['flags']) {
    this.#flags = Object.entries(flags).map(([name, { entry }]) => ({ name, entry }));
  }

  byName(wanted: string): NamedFlag | undefined {
    return this.#flags.find(({ name, entry }) => name === wanted || entry.aliases?.includes(wanted));
  }

  byChar(char: string): NamedFlag | undefined {
    return this.#flags.find(({ entry }) => entry.char === char);
  }

  candidates(): Candidate[] {
    const shown = this.#flags.filter(({ entry }) => entry.hidden !== true && entry.missing === undefined);
    return shown.map(({ name, entry }) => ({ word: `--${name}`, description: entry.description }));
  }
}

interface ReadLine {
  readonly args: readonly string[];
  /** The flag whose value comes next. */
  readonly waiting: NamedFlag | undefined;
  /** Whether nothing that follows can be a flag. */
  readonly isEnded: boolean;
}

/** Reads what is typed already, as `canonicalArgv` does; a word that is wrong counts as nothing. */
function readLine(words: readonly string[], flags: FlagIndex, interspersed: boolean): ReadLine {
  const args: string[] = [];
  let waiting: NamedFlag | undefined;
  let isEnded = false;
  for (const word of words) {
    if (waiting !== undefined) waiting = undefined;
    else if (isEnded) args.push(word);
    else if (word === '--') isEnded = true;
    else if (word.startsWith('-') && word !== '-') waiting = waitingFlag(word, flags);
    else {
      args.push(word);
      isEnded = !interspersed;
    }
  }
  return { args, waiting, isEnded };
}

/** The flag that has no value yet: `--name`, or the last letter of `-dit`. */
function waitingFlag(word: string, flags: FlagIndex): NamedFlag | undefined {
  if (word.includes('=')) return undefined;
  if (word.startsWith('--')) return takesValue(flags.byName(word.slice(2)));
  for (let at = 1; at < word.length; at++) {
    const flag = takesValue(flags.byChar(word[at]!));
    if (flag !== undefined) return at === word.length - 1 ? flag : undefined;
  }
  return undefined;
}

function takesValue(flag: NamedFlag | undefined): NamedFlag | undefined {
  return flag?.entry.form === 'switch' ? undefined : flag;
}

function flagPlaces({ entry }: NamedFlag): readonly CompletionPlace[] {
  if (entry.form === 'switch') return [];
  if (entry.form === 'one' && entry.choices !== undefined) return [{ kind: 'words', words: entry.choices }];
  return (entry.names ?? []).map((of) => (of === 'files' ? { kind: 'files' } : { kind: 'names', of }));
}

/** What the words of a usage line stand for. Anything else, such as a command in a container, is a file at best. */
const ARGUMENTS: readonly (readonly [RegExp, readonly CompletionPlace[]])[] = [
  [/^CONTAINER/, [{ kind: 'names', of: 'containers' }]],
  [
    /^NAME\|ID/,
    [
      { kind: 'names', of: 'containers' },
      { kind: 'names', of: 'images' },
    ],
  ],
  [/^(SOURCE_|TARGET_)?IMAGE|^NAME|^REPOSITORY/, [{ kind: 'names', of: 'images' }]],
  [/^VOLUME/, [{ kind: 'names', of: 'volumes' }]],
  [/^NETWORK/, [{ kind: 'names', of: 'networks' }]],
  [/^(PATH|FILE|COMMAND|ARG)/, [{ kind: 'files' }]],
];

/** What the next argument is, by the usage line: `[OPTIONS] IMAGE [COMMAND] [ARG...]`; the last one may repeat. */
function argumentPlaces(
  usage: CompletedCommand['usage'],
  args: readonly string[],
): readonly CompletionPlace[] {
  const [line = ''] = [usage ?? ''].flat();
  const wanted = line
    .split(' ')
    .filter((word) => word !== '[OPTIONS]' && word !== '')
    .map((word) => word.replace(/^\[/, ''));
  const repeats = wanted.at(-1)?.includes('...') === true;
  const next = wanted[args.length] ?? (repeats ? wanted.at(-1) : undefined);
  return ARGUMENTS.find(([pattern]) => next !== undefined && pattern.test(next))?.[1] ?? [];
}
