import { isSpace } from './characters.ts';

/** A piece of a logical line, quotes and escapes still in it, and where it begins there. */
export interface RawWord {
  readonly text: string;
  readonly offset: number;
}

/** Splits at runs of blanks and tabs, as for FROM, EXPOSE, COPY, ADD and VOLUME: quotes mean nothing. */
export function splitFields(text: string, base: number): RawWord[] {
  const words: RawWord[] = [];
  for (const match of text.matchAll(/[^\t\v\f\r ]+/g))
    words.push({ text: match[0], offset: base + match.index });
  return words;
}

/**
 * Splits as ENV, LABEL and ARG do: white space inside quotes or behind the escape character does not divide.
 * Quotes and escapes stay in the words, for the expansion to take away.
 */
export function splitQuoted(text: string, base: number, escapeChar: string): RawWord[] {
  const words: RawWord[] = [];
  let start = -1;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (start < 0) {
      if (isSpace(char)) continue;
      start = i;
    }
    if (quote === '') {
      if (isSpace(char)) {
        words.push({ text: text.slice(start, i), offset: base + start });
        start = -1;
      } else if (char === escapeChar) i++;
      else if (char === '"' || char === "'") quote = char;
    } else if (char === quote) quote = '';
    else if (char === escapeChar && quote === '"') i++;
  }
  if (start < 0) return words;
  const last = withoutOpenEscape(text.slice(start), escapeChar);
  if (last !== '') words.push({ text: last, offset: base + start });
  return words;
}

/** An escape character at the very end escapes nothing and is dropped, unless it is escaped itself. */
function withoutOpenEscape(word: string, escapeChar: string): string {
  let count = 0;
  while (word.at(-1 - count) === escapeChar) count++;
  return count % 2 === 0 ? word : word.slice(0, -1);
}
