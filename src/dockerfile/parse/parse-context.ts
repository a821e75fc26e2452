import { dockerfileError } from '../dockerfile-error.ts';
import type { Heredoc, InstructionBase } from '../instruction.ts';
import type { SourcePosition, Word } from '../source.ts';
import { type LogicalLine, positionAt, wordAt } from '../text/logical-line.ts';
import type { RawWord } from '../text/split-words.ts';
import type { FlagSet } from './instruction-flags.ts';

/** One instruction, cut into keyword, flags and the rest: what the parser of its kind gets. */
export interface ParseContext {
  readonly file: string;
  readonly escapeChar: '\\' | '`';
  readonly line: LogicalLine;
  /** In capitals. */
  readonly keyword: string;
  readonly keywordAt: SourcePosition;
  readonly flags: FlagSet;
  /** Where the arguments begin in the logical line; at its end where there are none. */
  readonly argsOffset: number;
  /** The arguments, without outer space. */
  readonly args: string;
  readonly heredocs: readonly Heredoc[];
  readonly base: InstructionBase;
}

/** More would take a machine's memory, and no image needs them. */
const MAX_WORDS = 100_000;

/** The parser's words for raw ones, with their places. Throws `syntax` where they are more than 100,000. */
export function toWords(context: ParseContext, words: readonly RawWord[]): Word[] {
  refuseTooMany(context, words.length);
  return words.map(({ text, offset }) => wordAt(context.line, offset, text));
}

function argsAt(context: ParseContext): SourcePosition {
  return context.args === '' ? context.keywordAt : positionAt(context.line, context.argsOffset);
}

/** The arguments as one word. Throws `syntax` where there are none. */
export function onlyArgument(context: ParseContext): Word {
  if (context.args === '') fail(context, `${context.keyword} requires exactly one argument`);
  return wordAt(context.line, context.argsOffset, context.args);
}

/** Throws `syntax` where there are none, or more than 100,000. */
export function requireArguments(context: ParseContext, count: number): void {
  if (count === 0) fail(context, `${context.keyword} requires at least one argument`);
  refuseTooMany(context, count);
}

function refuseTooMany(context: ParseContext, count: number): void {
  if (count > MAX_WORDS) fail(context, `${context.keyword} has more than ${MAX_WORDS} arguments`);
}

export function fail(context: ParseContext, message: string, hint?: string): never {
  throw dockerfileError(context.file, argsAt(context), message, { hint });
}
