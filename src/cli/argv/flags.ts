import * as Flags from '@oclif/core/flags';
import { VALUE_MARK } from './docker-args.ts';

/**
 * The flags of all commands are made by these, since the values that `canonicalArgv` marked are read here.
 * Scalar flags keep the last value, multiple ones take one value each time.
 */
interface FlagText {
  readonly description: string;
  readonly char?: Char;
  readonly aliases?: string[];
  readonly hidden?: boolean;
}

/** The one letter of a flag. */
export type Char = NonNullable<NonNullable<Parameters<typeof Flags.string>[0]>['char']>;

const unmark = async (value: string): Promise<string> =>
  value.startsWith(VALUE_MARK) ? value.slice(1) : value;

/** A flag with one value; absent it is undefined. */
export const text = (options: FlagText & { readonly helpValue?: string }) =>
  Flags.string({ ...options, parse: unmark });

/** A flag that may be given many times; absent it is undefined. */
export const list = (options: FlagText & { readonly helpValue?: string }) =>
  Flags.string({ ...options, parse: unmark, multiple: true, multipleNonGreedy: true });

/** A flag with one value of a few. */
export const choice = <const T extends string>(options: FlagText & { readonly options: readonly T[] }) =>
  Flags.option({ ...options, options: options.options, multiple: false })();

/** A flag that is there or not; `--name=false` takes it back. */
export const toggle = (options: FlagText) => Flags.boolean(options);

/** A flag that is true unless `--name=false` says otherwise. */
export const toggleOn = (options: FlagText) => Flags.boolean({ ...options, default: true, allowNo: true });

/** The flags that several commands share. */
const PROGRESS_MODES = ['auto', 'tty', 'plain', 'json', 'rawjson', 'quiet'] as const;
export const progressFlag = choice({
  description: 'how progress is shown on standard error',
  options: PROGRESS_MODES,
});
export const platformFlag = text({ description: 'platform in os/arch[/variant] form, such as linux/arm64' });
export const formatFlag = text({ char: 'f', description: 'print with a Go-like template, or "json"' });
export const jsonFlag = toggle({ description: 'print as JSON' });
export const quietFlag = toggle({ char: 'q', description: 'print only IDs' });
export const noTruncFlag = toggle({ description: 'do not shorten the output' });
export const filterFlag = list({ char: 'f', description: 'filter the list, such as name=value' });
