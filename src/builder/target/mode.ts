import type { Word } from '../../dockerfile/source.ts';
import { copyError } from '../source/copy-error.ts';

/** What `--chmod` does to a mode of twelve permission bits. */
export interface ModeChange {
  readonly apply: (mode: number, isFolder: boolean) => number;
  /** The permissions of folders that are made on the way: those of an octal mode, else undefined. */
  readonly forMadeFolders: number | undefined;
}

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o0007, a: 0o6777 };
const LETTERS: Readonly<Record<string, number>> = { r: 0o444, w: 0o222, x: 0o111 };
const SET_IDS = 0o6000;
const STICKY = 0o1000;
const CLAUSE = /^([ugoa]*)((?:[-+=][ugorwxXst]*)+)$/;

/**
 * Reads `--chmod`: an octal mode up to 7777, or symbolic ones as chmod(1) takes them (`u=rwX,go-w`), with no umask.
 * They mean what they mean in BuildKit, which goes by BSD's chmod: `=` without `t` leaves the sticky bit alone, and for
 * `o` and for copies (`g=u`) the set-id bits, too; a folder is no exception. Throws `syntax` at the word.
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
  const apply = (mode: number, isFolder: boolean) => {
    const hasX = isFolder || (mode & 0o111) !== 0;
    return steps.reduce((now, step) => step(now, hasX), mode);
  };
  return { apply, forMadeFolders: undefined };
}

/** `hasX`: whether `X` is `x`, by what the file was like before any step. */
type Step = (mode: number, hasX: boolean) => number;

function readClause(letters: string, actions: string): Step[] {
  const who = letters.split('').reduce((bits, letter) => bits | WHO[letter]!, 0);
  return Array.from(actions.matchAll(/([-+=])([ugorwxXst]*)/g)).flatMap(([, operator, what]) => {
    return readAction(who, operator!, what!);
  });
}

/**
 * The steps of one operator and the letters behind it. `letters` 0: nobody is named, and everybody is meant. A letter
 * that copies a class takes effect where it stands, after the letters before it.
 */
function readAction(letters: number, operator: string, what: string): Step[] {
  const namesSpecials = letters === 0 || (letters & ~0o007) !== 0;
  const steps: Step[] = [];
  let who = letters;
  let bits = 0;
  let isCleared = operator !== '=';
  let takesX = false;
  const flush = () => {
    if (bits !== 0 || !isCleared) steps.push(setStep(who, operator, bits));
    if (takesX) steps.push(executeStep(who, operator));
    bits = 0;
    takesX = false;
  };
  for (const letter of what) {
    if (letter === 'X') takesX = true;
    else if ('ugo'.includes(letter)) {
      // A copy clears what it replaces, and no more.
      isCleared = true;
      flush();
      steps.push(copyStep(who, operator, letter));
    } else if (namesSpecials && letter === 's') bits |= SET_IDS;
    else if (namesSpecials && letter === 't') {
      bits |= STICKY;
      who |= STICKY;
    } else bits |= LETTERS[letter] ?? 0;
  }
  flush();
  return steps;
}

function setStep(who: number, operator: string, bits: number): Step {
  const named = who === 0 ? bits : bits & who;
  if (operator === '+') return (mode) => mode | named;
  if (operator === '-') return (mode) => mode & ~named;
  return (mode) => (mode & ~(who || WHO.a!)) | named;
}

function executeStep(who: number, operator: string): Step {
  const named = LETTERS.x! & (who || WHO.a!);
  return (mode, hasX) => {
    if (!hasX) return mode;
    return operator === '-' ? mode & ~named : mode | named;
  };
}

/** `g=u`, `o+g`: the permissions of one class for others. */
function copyStep(who: number, operator: string, from: string): Step {
  const shift = from === 'u' ? 6 : from === 'g' ? 3 : 0;
  const classes = ((who || WHO.a!) & 0o444) >> 2;
  return (mode) => {
    const copied = ((mode >> shift) & 7) * classes;
    if (operator === '+') return mode | copied;
    if (operator === '-') return mode & ~copied;
    return (mode & ~(7 * classes)) | copied;
  };
}
