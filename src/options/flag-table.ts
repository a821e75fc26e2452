/**
 * The room of options: from text to value, and the table of a command's flags. Everyone who reads what a user typed
 * calls it: commands, the library, `dockerfile`, filters of lists. It is pure and knows no command, no image and no
 * container. A reader gives undefined or throws `invalid-argument`; nothing is guessed.
 *
 *     const TABLE = { memory: { form: 'one', char: 'm', kind: byteSize, description: 'limit of memory' } } as const;
 *     const { memory } = readFlags(TABLE, { memory: '512m' }, surroundings);
 */

import { readValue, type Surroundings, type ValueKind } from './value-kind.ts';

/** What all flags have, whatever their form. */
interface FlagNaming {
  /** Its one letter. */
  readonly char?: string | undefined;
  /** For help and completion; hidden flags may do without. */
  readonly description?: string | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly hidden?: boolean | undefined;
  /** Of a flag that does nothing any more: what its use is answered with. It is hidden. */
  readonly retired?: string | undefined;
  /** Its name in the typed object, where that is not the flag's. */
  readonly as?: string | undefined;
  /** Of a flag that is not there yet: what to do instead. It is hidden, and refused by its name. */
  readonly missing?: string | undefined;
  /** Of a flag that is not there yet: values that are taken all the same, since they say what is so anyway. */
  readonly harmless?: readonly string[] | undefined;
}

/** A flag that is given or not. */
interface SwitchEntry extends FlagNaming {
  readonly form: 'switch';
  /** True: on, unless `--name=false` takes it back. */
  readonly default?: boolean | undefined;
}

/** What has names that can be listed. */
export type NamedThing = 'containers' | 'images' | 'volumes' | 'networks';

/** What flags have that take a value. */
interface ValueFlag extends FlagNaming {
  /** By default the text is the value. */
  readonly kind?: ValueKind<unknown> | undefined;
  /** What its value names, for completion. */
  readonly names?: readonly (NamedThing | 'files')[] | undefined;
}

/** A flag with a value, of which the last one counts. */
interface OneEntry extends ValueFlag {
  readonly form: 'one';
  /** Of a flag that Docker takes many times, and that counts once for now: why a second one is refused. */
  readonly onlyOnce?: string | undefined;
  /** An empty text is no value, as where the flag is not given: scripts pass on what may be unset. */
  readonly mayBeEmpty?: boolean | undefined;
  /** The variable of the environment that has the value for a command line without the flag. */
  readonly environment?: string | undefined;
  /** All values that there are. */
  readonly choices?: readonly string[] | undefined;
}

/** A flag that may be given many times, each time with a value. */
interface ManyEntry extends ValueFlag {
  readonly form: 'many';
}

/**
 * All that is known of a flag. Help, completion, the manifest, oclif's definition and the types below come from it.
 */
export type FlagEntry = SwitchEntry | OneEntry | ManyEntry;

/** A command's flags by their names: `{ memory: { form: 'one', char: 'm', kind: byteSize, description: … } }`. */
export type FlagTable = Readonly<Record<string, FlagEntry>>;

type KindValue<E> = E extends { readonly kind: ValueKind<infer T> } ? T : string;

/** The value of a flag: a switch is true or false; others are undefined where they are not given. */
export type FlagValue<E extends FlagEntry> = E extends { readonly form: 'switch' }
  ? boolean
  : E extends { readonly form: 'many' }
    ? KindValue<E>[] | undefined
    : E extends { readonly choices: readonly (infer C)[] }
      ? C | undefined
      : KindValue<E> | undefined;

type FlagText<E extends FlagEntry> = E extends { readonly form: 'switch' }
  ? boolean | undefined
  : E extends { readonly form: 'many' }
    ? readonly string[] | undefined
    : E extends { readonly choices: readonly (infer C)[] }
      ? C | undefined
      : string | undefined;

/** The flags as a program gives them, by their names: values as their text. */
export type FlagTexts<T extends FlagTable> = { readonly [K in keyof T]?: FlagText<T[K]> };

/** The flags with their values read, by their names. */
export type FlagValues<T extends FlagTable> = { readonly [K in keyof T]: FlagValue<T[K]> };

type FieldName<K, E> = E extends { readonly as: infer N extends string } ? N : K;

/** The typed object: each value by the name that `as` gives; lists are empty where they are not given. */
export type FlagFields<T extends FlagTable> = {
  readonly [K in keyof T as T[K] extends { readonly form: 'one' } ? never : FieldName<K, T[K]>]: NonNullable<
    FlagValue<T[K]>
  >;
} & {
  readonly [K in keyof T as T[K] extends { readonly form: 'one' } ? FieldName<K, T[K]> : never]?: FlagValue<
    T[K]
  >;
};

function readFlag(entry: FlagEntry, name: string, given: unknown, where: Surroundings): unknown {
  if (entry.form === 'switch') return given ?? entry.default ?? false;
  const { kind } = entry;
  if (given === '' && entry.form === 'one' && entry.mayBeEmpty) return undefined;
  if (given === undefined || kind === undefined) return given;
  const read = (text: string) => readValue(kind, text, `--${name}`, where);
  return entry.form === 'many' ? (given as readonly string[]).map(read) : read(given as string);
}

/** The texts that variables of the environment have for flags of the table. */
export function textsOfEnvironment(
  table: FlagTable,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const texts = Object.entries(table).flatMap(([name, entry]) => {
    const text = entry.form === 'one' && entry.environment !== undefined ? env[entry.environment] : undefined;
    return text ? [[name, text] as const] : [];
  });
  return Object.fromEntries(texts);
}

/** Reads all flags of a table. Throws `invalid-argument` that names the flag, and what its kind throws. */
export function readFlags<const T extends FlagTable>(
  table: T,
  texts: FlagTexts<T>,
  where: Surroundings,
): FlagValues<T> {
  const given: Readonly<Record<string, unknown>> = texts;
  const values = Object.entries(table).map(([name, entry]) => [
    name,
    readFlag(entry, name, given[name], where),
  ]);
  return Object.fromEntries(values) as FlagValues<T>;
}

/** The typed object of a table's flags, from all values that were read. */
export function fieldsOf<const T extends FlagTable>(table: T, values: FlagValues<T>): FlagFields<T> {
  const fields = Object.entries(table).map(([name, entry]) => {
    const value = values[name];
    return [entry.as ?? name, value === undefined && entry.form === 'many' ? [] : value];
  });
  return Object.fromEntries(fields) as FlagFields<T>;
}
