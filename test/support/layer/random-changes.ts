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
import type { Random } from './random.ts';

const NAMES = ['a', 'b', 'c', '\u00fc'];

/** Does random things to a tree, as a process in it would; what fails, fails. Gives what was done, in words. */
export function changeAtRandom(random: Random, root: string, count: number): string[] {
  const path = () => random.several(1, 3, () => random.pick(NAMES)).join('/');
  const words: string[] = [];
  for (let rest = count; rest > 0; rest--) {
    const [one, two] = [path(), path()];
    const [first, second] = [`${root}/${one}`, `${root}/${two}`];
    const actions = {
      write: () => writeFileSync(first, `${one} ${rest}`),
      append: () => writeFileSync(first, 'more', { flag: 'a' }),
      truncate: () => truncateSync(first, random.below(10_000)),
      mkdir: () => mkdirSync(first, { recursive: true }),
      remove: () => rmSync(first, { recursive: true }),
      rename: () => renameSync(first, second),
      link: () => linkSync(first, second),
      symlink: () => symlinkSync(two, first),
      chmod: () => chmodSync(first, random.pick([0o700, 0o4755, 0o1777, 0o2750])),
      chown: () => lchownSync(first, random.below(3), random.below(3)),
      touch: () => lutimesSync(first, 1, random.below(2_000_000_000) + random.below(1000) / 1024),
    };
    const action = random.pick(Object.keys(actions) as (keyof typeof actions)[]);
    try {
      actions[action]();
      words.push(`${action} ${one} ${two}`);
    } catch {
      // Not there, in the way, or one in the other.
    }
  }
  return words;
}
