import type { Word } from '../../dockerfile/source.ts';
import { copyError } from '../source/copy-error.ts';

/** What `--chmod` does to a mode of twelve permission bits. */
export interface ModeChange {
  readonly apply: (mode: number, isFolder: boolean) => number;
  /** The permissions of folders that are made on the way: those of an octal mode, else undefined. */
  readonly forMadeFolders: number | undefined;
}

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };
const CLAUSE = /^([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)$/;

/**
 * Reads `--chmod`: an octal mode up to 7777, or symbolic ones as chmod(1) takes them (`u=rwX,go-w`), with no umask.
 * Throws `syntax` at the word.
 */
export function parseMode(file: string, word: Word): ModeChange {
  const { text } = word;
  if (/^[0-7]+$/.test(text) && Number.parseInt(text, 8) <= 0o7777) {
    const mode = Number.parseInt(text, 8);
    return { apply: () => mode, forMadeFolders: mode & 0o777 };
  }
  const clauses = text.split(',').map((clause) => CLAUSE.exec(clause));
  if (text === '' || clauses.includes(null)) {
    const hint = 'write an octal mode from 0 to 7777, or symbols such as u=rwX,go=rX';
    throw copyError(file, word, 'syntax', `invalid mode ${JSON.stringify(text)}`, hint);
  }
  const steps = clauses.flatMap((clause) => readClause(clause![1]!, clause![2]!));
  const apply = (mode: number, isFolder: boolean) => steps.reduce((now, step) => step(now, isFolder), mode);
  return { apply, forMadeFolders: undefined };
}

type Step = (mode: number, isFolder: boolean) => number;

function readClause(who: string, actions: string): Step[] {
  const mask = (who === '' ? 'a' : who).split('').reduce((bits, letter) => bits | WHO[letter]!, 0);
  return Array.from(actions.matchAll(/([-+=])([ugo]|[rwxXst]*)/g), ([, operator, what = '']): Step => {
    return (mode, isFolder) => {
      const bits = bitsOf(what, mode, isFolder) & mask;
      if (operator === '+') return mode | bits;
      if (operator === '-') return mode & ~bits;
      // A folder keeps its setuid and setgid bits, which decide whose its new files are.
      const cleared = isFolder ? mask & ~0o6000 : mask;
      return (mode & ~cleared) | bits;
    };
  });
}

/** The bits that letters stand for, for everybody; or a copy of somebody's. */
function bitsOf(what: string, mode: number, isFolder: boolean): number {
  if (what === 'u') return ((mode >> 6) & 7) * 0o111;
  if (what === 'g') return ((mode >> 3) & 7) * 0o111;
  if (what === 'o') return (mode & 7) * 0o111;
  let bits = 0;
  if (what.includes('r')) bits |= 0o444;
  if (what.includes('w')) bits |= 0o222;
  if (what.includes('x') || (what.includes('X') && (isFolder || (mode & 0o111) !== 0))) bits |= 0o111;
  if (what.includes('s')) bits |= 0o6000;
  if (what.includes('t')) bits |= 0o1000;
  return bits;
}
