/**
 * The room of what commands print: results and errors, tables, sizes and ages in Docker's words, questions on the
 * terminal. Commands call it, and the other rooms of the command line. Whatever came from an image or a registry goes
 * through `printable` before it reaches a terminal, which it could otherwise control.
 *
 *     writeResult(`${formatTable(['NAME', 'SIZE'], [['app:1', humanSize(52_428_800)]])}\n`);
 *     process.stderr.write(`${printable(message)}\n`);
 */

import type { ProgressEvent } from '../../progress.ts';

/** C0 but tab and line feed, DEL, C1, and the characters that turn the direction of text. */
const UNPRINTABLE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text as it may go to a terminal: what would move the cursor, set the title or hide text, in the words of an image
 * or a registry, is shown as `\x1b` or `\u202e`. Line feeds and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
  });
}

/** As `printable`, on one line. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\n\t]/g, ' ');
}

/** An event with all its texts printable; a step's output is left as it is. */
export function printableEvent(event: ProgressEvent): ProgressEvent {
  if (event.type === 'output') return event;
  const entries = Object.entries(event).map(([key, value]) => [
    key,
    typeof value === 'string' ? printable(value) : value,
  ]);
  return Object.fromEntries(entries) as ProgressEvent;
}

/** Writes a result to standard output: as it is for a program, printable for a terminal. */
export function writeResult(text: string): void {
  process.stdout.write(process.stdout.isTTY ? printable(text) : text);
}
