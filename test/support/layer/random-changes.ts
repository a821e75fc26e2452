import {
  chmodSync,
  lchownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import fc from 'fast-check';

const ACTIONS = {
  write: ({ first, one, number }) => writeFileSync(first, `${one} ${number}`),
  append: ({ first }) => writeFileSync(first, 'more', { flag: 'a' }),
  truncate: ({ first, number }) => truncateSync(first, number),
  mkdir: ({ first }) => mkdirSync(first, { recursive: true }),
  remove: ({ first }) => rmSync(first, { recursive: true }),
  rename: ({ first, second }) => renameSync(first, second),
  link: ({ first, second }) => linkSync(first, second),
  symlink: ({ first, two }) => symlinkSync(two, first),
  chmod: ({ first, mode }) => chmodSync(first, mode),
  chown: ({ first, number }) => lchownSync(first, number % 3, (number >> 2) % 3),
  touch: ({ first, seconds }) => lutimesSync(first, 1, seconds),
} satisfies Record<string, (at: Change & { readonly first: string; readonly second: string }) => void>;

/** What a process does to a path of a tree, or to two of them. */
interface Change {
  readonly one: string;
  readonly two: string;
  readonly number: number;
  readonly mode: number;
  readonly seconds: number;
}

const path = fc
  .array(fc.constantFrom('a', 'b', 'c', '\u00fc'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'));

/** About thirty changes with few names, so that everything happens to everything. */
export const randomChanges = fc.array(
  fc.record({
    action: fc.constantFrom(...(Object.keys(ACTIONS) as (keyof typeof ACTIONS)[])),
    one: path,
    two: path,
    number: fc.nat(9_999),
    mode: fc.constantFrom(0o700, 0o4755, 0o1777, 0o2750),
    seconds: fc.tuple(fc.nat(2_000_000_000), fc.nat(1023)).map(([whole, part]) => whole + part / 1024),
  }),
  { maxLength: 60, size: 'max' },
);

/** Does them to the tree at `root`; what fails, fails. */
export function makeChanges(
  root: string,
  changes: readonly (Change & { action: keyof typeof ACTIONS })[],
): void {
  for (const change of changes) {
    try {
      ACTIONS[change.action]({ ...change, first: `${root}/${change.one}`, second: `${root}/${change.two}` });
    } catch {
      // Not there, in the way, or one in the other.
    }
  }
}
