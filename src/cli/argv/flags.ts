/**
 * The room of the words on a command line: how flags are declared, how Docker's way of writing them is read, and the
 * files that they name. All commands declare their flags here; `BaseCommand` reads the line. It checks form alone:
 * what a value means is told by its kind, in `options`.
 *
 *     const force = toggle({ char: 'f', description: 'do not ask' });
 *     static override flags = { force, ...oclifFlags(CREATE_FLAGS) };
 *     const canonical = canonicalArgv(['-dit', '--name=web', 'app:1'], shapes, { interspersed: false });
 */

import * as Flags from '@oclif/core/flags';
import type { FlagInput } from '@oclif/core/interfaces';
import type { FlagEntry, FlagTable, FlagValue } from '../../options/flag-table.ts';
import { PLATFORM_VARIABLE, platform } from '../../options/kinds.ts';
import type { ValueKind } from '../../options/value-kind.ts';
import { type FlagShape, VALUE_MARK } from './docker-args.ts';

/** oclif's definition of a flag, with the entry of the table that it comes from. */
export type OclifFlag<V> = FlagInput[string] & {
  readonly entry: FlagEntry;
  readonly missing?: FlagShape['missing'] | undefined;
  /** Never there: the type of what `BaseCommand.read` gives. */
  readonly value?: V | undefined;
};

/** The values of a command's flags. */
export type ReadFlags<F> = { readonly [K in keyof F]: F[K] extends OclifFlag<infer V> ? V : never };

// Values that `canonicalArgv` marked are read here.
const unmark = async (value: string): Promise<string> =>
  value.startsWith(VALUE_MARK) ? value.slice(1) : value;

/**
 * oclif's definition of a flag. oclif leaves its values as their text; `BaseCommand.read` gives them as the kind of the
 * entry reads them, which is what the type says.
 */
function oclifFlag<const E extends FlagEntry>(entry: E): OclifFlag<FlagValue<E>> {
  const { char, description, aliases, hidden, retired, missing, harmless = [] } = entry as FlagEntry;
  const naming = {
    char,
    description: missing === undefined ? (description ?? '') : 'not there yet',
    aliases,
    hidden: hidden === true || (missing ?? retired) !== undefined ? true : undefined,
  };
  const shape = {
    ...oclifShape(entry, naming as OclifNaming),
    entry,
    retired,
    onlyOnce: entry.form === 'one' ? entry.onlyOnce : undefined,
    missing: missing === undefined ? undefined : { harmless, hint: missing },
  };
  return shape as unknown as OclifFlag<FlagValue<E>>;
}

/** oclif's types leave no room for `undefined`, which it takes as not given. */
type OclifNaming = Pick<NonNullable<Parameters<typeof Flags.string>[0]>, 'char' | 'aliases' | 'hidden'> & {
  readonly description: string;
};

function oclifShape(entry: FlagEntry, naming: OclifNaming): object {
  if (entry.form === 'switch') {
    const isOn = entry.default === true;
    return Flags.boolean({ ...naming, default: isOn, allowNo: isOn });
  }
  if (entry.form === 'many') {
    return Flags.string({ ...naming, parse: unmark, multiple: true, multipleNonGreedy: true });
  }
  if (entry.choices === undefined) return Flags.string({ ...naming, parse: unmark });
  return Flags.option({ ...naming, options: entry.choices, multiple: false })();
}

/** oclif's definitions of a whole table. */
export function oclifFlags<const T extends FlagTable>(
  table: T,
): { readonly [K in keyof T]: OclifFlag<FlagValue<T[K]>> } {
  const flags = Object.entries(table).map(([name, entry]) => [name, oclifFlag(entry)]);
  return Object.fromEntries(flags) as { readonly [K in keyof T]: OclifFlag<FlagValue<T[K]>> };
}

/** What the flags below have in common with every entry. */
type Naming = Pick<FlagEntry, 'char' | 'aliases' | 'hidden'> & { readonly description: string };
type ValueNaming = Naming & Pick<Exclude<FlagEntry, { form: 'switch' }>, 'names'>;

/** A flag with one value, as its text; absent it is undefined. */
export const text = (naming: ValueNaming) => oclifFlag({ ...naming, form: 'one' });

/** A flag with one value, as `kind` reads it; absent it is undefined. */
export const value = <T>(kind: ValueKind<T>, naming: ValueNaming): OclifFlag<T | undefined> =>
  oclifFlag({ ...naming, form: 'one', kind });

/** A flag that may be given many times, as texts; absent it is undefined. */
export const list = (naming: ValueNaming) => oclifFlag({ ...naming, form: 'many' });

/** A flag that may be given many times, each value as `kind` reads it; absent it is undefined. */
export const values = <T>(kind: ValueKind<T>, naming: ValueNaming): OclifFlag<T[] | undefined> =>
  oclifFlag({ ...naming, form: 'many', kind });

/** A flag with one value of a few. */
export const choice = <const C extends string>({
  options,
  ...naming
}: Naming & { readonly options: readonly C[] }): OclifFlag<C | undefined> =>
  oclifFlag({ ...naming, form: 'one', choices: options });

/** A flag that is there or not; `--name=false` takes it back. */
export const toggle = (naming: Naming) => oclifFlag({ ...naming, form: 'switch' });

/** A flag that is true unless `--name=false` says otherwise. */
export const toggleOn = (naming: Naming) => oclifFlag({ ...naming, form: 'switch', default: true });

/** The flags that several commands share. */
const PROGRESS_MODES = ['auto', 'tty', 'plain', 'json', 'rawjson', 'quiet'] as const;
export const progressFlag = choice({
  description: 'how progress is shown on standard error',
  options: PROGRESS_MODES,
});
const PLATFORM = {
  form: 'one',
  kind: platform,
  mayBeEmpty: true,
  description: 'platform in os/arch[/variant] form, such as linux/arm64',
} as const;
export const platformFlag = oclifFlag(PLATFORM);
/** The same where Docker takes it from the environment, too: `pull` and `import`. */
export const defaultPlatformFlag = oclifFlag({ ...PLATFORM, environment: PLATFORM_VARIABLE });
export const formatFlag = text({ char: 'f', description: 'print with a Go-like template, or "json"' });
export const jsonFlag = toggle({ description: 'print as JSON' });
/** Docker 29 takes it and does nothing: its images are not signed by it any more. */
export const contentTrustFlag = oclifFlag({
  form: 'switch',
  description: 'skip the check of signatures',
  retired: 'support for docker content trust was removed',
});
export const quietFlag = toggle({ char: 'q', description: 'print only IDs' });
export const noTruncFlag = toggle({ description: 'do not shorten the output' });
export const filterFlag = list({ char: 'f', description: 'filter the list, such as name=value' });
