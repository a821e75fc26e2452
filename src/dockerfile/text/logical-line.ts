/**
 * The room of a Dockerfile's text: bytes to text, lines joined at their continuations, words and JSON arrays cut out
 * of them, and the name that was most likely meant. `parse` calls it, `check` and `expand` for places, and builds for
 * hints. It knows no instruction. Each character keeps its place in the file, so that an error can say line and
 * column.
 *
 *     const reader = new LineReader(decodeDockerfile(content, 'Dockerfile'));
 *     const line = joinContinuations(reader.next()!, reader, '\\', []);
 *     const at = positionAt(line, line.text.indexOf('--mount'));
 */

import type { SourcePosition, SourceRange, Word } from '../source.ts';
import { isSpace, leadingSpace } from './characters.ts';

/** A line as it stands in the file; `text` is without its line end, which is in `end`. */
interface PhysicalLine {
  readonly text: string;
  readonly end: string;
  readonly number: number;
}

/** Hands out the lines of a text one after the other. */
export class LineReader {
  readonly #text: string;
  #offset = 0;
  #number = 0;

  constructor(text: string, linesBefore = 0) {
    this.#text = text;
    this.#number = linesBefore;
  }

  /** The number of the line that was read last; 0 before the first. */
  get line(): number {
    return this.#number;
  }

  next(): PhysicalLine | undefined {
    if (this.#offset >= this.#text.length) return undefined;
    const newline = this.#text.indexOf('\n', this.#offset);
    const stop = newline < 0 ? this.#text.length : newline + 1;
    const raw = this.#text.slice(this.#offset, stop);
    const text = raw.replace(/[\r\n]+$/, '');
    this.#offset = stop;
    this.#number += 1;
    return { text, end: raw.slice(text.length), number: this.#number };
  }
}

/** Part of a logical line that is contiguous in the file, from `offset` of the logical line on. */
interface Piece {
  readonly offset: number;
  readonly at: SourcePosition;
}

/** An instruction's lines joined to one, with the way back to where each character stands in the file. */
export interface LogicalLine {
  readonly text: string;
  readonly pieces: readonly Piece[];
  /** Just behind its last character. */
  readonly end: SourcePosition;
  /** Comment lines right above, without `#` and outer space. */
  readonly comments: readonly string[];
  /** Places of empty lines between continuation lines. */
  readonly emptyContinuations: readonly SourcePosition[];
}

/** Where the character at `offset` of the logical line stands in the file. */
export function positionAt(line: LogicalLine, offset: number): SourcePosition {
  const { pieces } = line;
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (pieces[middle]!.offset <= offset) low = middle;
    else high = middle - 1;
  }
  const found = pieces[low]!;
  return { line: found.at.line, column: found.at.column + offset - found.offset };
}

export function rangeOf(line: LogicalLine): SourceRange {
  return { start: line.pieces[0]!.at, end: line.end };
}

export function wordAt(line: LogicalLine, offset: number, text: string): Word {
  return { text, at: positionAt(line, offset) };
}

export function isComment(text: string): boolean {
  return text[leadingSpace(text)] === '#';
}

/**
 * Joins the lines of one instruction, beginning with `first`, which is neither empty nor a comment. A line goes on
 * where it ends in the escape character (and blanks) that no other escape character precedes. Comment lines and
 * empty lines in between are dropped.
 */
export function joinContinuations(
  first: PhysicalLine,
  reader: LineReader,
  escapeChar: '\\' | '`',
  comments: readonly string[],
): LogicalLine {
  const indent = leadingSpace(first.text);
  const pieces: Piece[] = [{ offset: 0, at: { line: first.number, column: indent + 1 } }];
  const emptyContinuations: SourcePosition[] = [];
  let body = withoutContinuation(first.text.slice(indent), escapeChar);
  let text = body.text;
  let end = { line: first.number, column: indent + body.text.length + 1 };
  while (body.continues) {
    const next = reader.next();
    if (next === undefined) break;
    if (isComment(next.text)) continue;
    if (leadingSpace(next.text) === next.text.length) {
      emptyContinuations.push({ line: next.number, column: 1 });
      continue;
    }
    body = withoutContinuation(next.text, escapeChar);
    pieces.push({ offset: text.length, at: { line: next.number, column: 1 } });
    text += body.text;
    end = { line: next.number, column: body.text.length + 1 };
  }
  return { text, pieces, end, comments, emptyContinuations };
}

function withoutContinuation(text: string, escapeChar: string): { text: string; continues: boolean } {
  let stop = text.length;
  while (stop > 0 && (text[stop - 1] === ' ' || text[stop - 1] === '\t')) stop--;
  const continues = text[stop - 1] === escapeChar && text[stop - 2] !== escapeChar;
  return continues ? { text: text.slice(0, stop - 1), continues } : { text, continues };
}

/** The end of the first word of `text` from `start` on. */
export function wordEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && !isSpace(text[end]!)) end++;
  return end;
}
