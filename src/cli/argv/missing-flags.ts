import type { FlagShape } from './docker-args.ts';
import { type Char, list, text, toggle } from './flags.ts';

interface MissingFlags {
  readonly lists?: readonly string[];
  readonly texts?: readonly string[];
  readonly toggles?: readonly string[];
  readonly short?: Readonly<Record<string, Char>>;
  /** Values that are taken, since they say what is so anyway. */
  readonly harmless?: Readonly<Record<string, readonly string[]>>;
  readonly hint?: string;
}

type Flag = ReturnType<typeof list | typeof text | typeof toggle>;

/** Flags of Docker's that are not there yet: help does not show them, and a command line with one is refused by its name. */
export function missingFlags({
  lists = [],
  texts = [],
  toggles = [],
  short = {},
  harmless = {},
  hint = 'leave it out',
}: MissingFlags): Readonly<Record<string, Flag>> {
  const define = (make: (options: Parameters<typeof toggle>[0]) => Flag) => (name: string) => {
    const char = short[name];
    const shape = make({
      description: 'not there yet',
      hidden: true,
      ...(char === undefined ? {} : { char }),
    });
    const missing: FlagShape['missing'] = { harmless: harmless[name] ?? [], hint };
    return [name, { ...shape, missing }] as const;
  };
  return Object.fromEntries([
    ...lists.map(define(list)),
    ...texts.map(define(text)),
    ...toggles.map(define(toggle)),
  ]);
}
