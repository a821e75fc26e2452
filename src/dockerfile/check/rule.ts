import type { Dockerfile, Instruction } from '../instruction.ts';
import type { SourceRange } from '../source.ts';
import type { LogicalLine } from '../text/logical-line.ts';

/** An instruction with the line that it was read from, for checks that look at how it is written. */
export interface ParsedLine {
  readonly instruction: Instruction;
  readonly line: LogicalLine;
}

export interface CheckInput {
  readonly dockerfile: Omit<Dockerfile, 'warnings'>;
  readonly lines: readonly ParsedLine[];
}

/** What a rule has found: where, and how it is said to the user. */
export interface Finding {
  readonly range: SourceRange;
  readonly message: string;
}

export type Rule = (input: CheckInput) => Iterable<Finding>;
