import { dockerfileError } from '../dockerfile-error.ts';
import type { Heredoc, Instruction, OnbuildInstruction, StageInstruction } from '../instruction.ts';
import type { SourcePosition } from '../source.ts';
import { leadingSpace, trimSpace } from '../text/characters.ts';
import { readJsonArray } from '../text/json-array.ts';
import { type LineReader, type LogicalLine, positionAt, rangeOf, wordEnd } from '../text/logical-line.ts';
import { didYouMean } from '../text/suggest.ts';
import { readHeredocs } from './heredoc.ts';
import { FlagSet, takeFlags } from './instruction-flags.ts';
import { parseCmd, parseEntrypoint, parseRun, parseShell } from './parse-command.ts';
import { fail, type ParseContext, requireArguments } from './parse-context.ts';
import { parseAdd, parseCopy } from './parse-files.ts';
import { parseHealthcheck } from './parse-healthcheck.ts';
import { parseArg, parseEnv, parseLabel } from './parse-key-values.ts';
import {
  parseExpose,
  parseMaintainer,
  parseStopsignal,
  parseUser,
  parseVolume,
  parseWorkdir,
} from './parse-settings.ts';
import { parseFrom } from './parse-stage.ts';

const PARSERS: Readonly<Record<Instruction['kind'], (context: ParseContext) => Instruction>> = {
  ADD: parseAdd,
  ARG: parseArg,
  CMD: parseCmd,
  COPY: parseCopy,
  ENTRYPOINT: parseEntrypoint,
  ENV: parseEnv,
  EXPOSE: parseExpose,
  FROM: parseFrom,
  HEALTHCHECK: parseHealthcheck,
  LABEL: parseLabel,
  MAINTAINER: parseMaintainer,
  ONBUILD: parseOnbuild,
  RUN: parseRun,
  SHELL: parseShell,
  STOPSIGNAL: parseStopsignal,
  USER: parseUser,
  VOLUME: parseVolume,
  WORKDIR: parseWorkdir,
};

type Syntax = Pick<ParseContext, 'file' | 'escapeChar'>;

/**
 * Reads the instruction of one logical line, and its here-documents from `reader`, which stands behind the line.
 * Throws `syntax`.
 */
export function parseInstruction(syntax: Syntax, line: LogicalLine, reader: LineReader): Instruction {
  const cut = cutInstruction(syntax, line, 0);
  const heredocs = mayHoldHeredocs(syntax, line, cut) ? readHeredocs(syntax.file, line, reader) : [];
  const { end } = rangeOf(line);
  const last = heredocs.at(-1);
  return parseCut(
    {
      file: syntax.file,
      escapeChar: syntax.escapeChar,
      line,
      heredocs,
      end: last === undefined ? end : { line: reader.line, column: last.name.length + 1 },
    },
    cut,
  );
}

interface Cut {
  readonly keyword: string;
  readonly start: number;
  readonly flags: FlagSet;
  readonly argsOffset: number;
}

/** Cuts what begins at `start` of a logical line into its keyword, flags and arguments. */
function cutInstruction({ file, escapeChar }: Syntax, line: LogicalLine, start: number): Cut {
  const { text } = line;
  const end = wordEnd(text, start);
  const keyword = text.slice(start, end).toUpperCase();
  if (!Object.hasOwn(PARSERS, keyword)) {
    const written = text.slice(start, end);
    throw dockerfileError(file, positionAt(line, start), `unknown instruction ${JSON.stringify(written)}`, {
      hint: unknownHint(written, line.pieces[0]!.at.line, escapeChar),
    });
  }
  const { flags, rest } = takeFlags(text, end, escapeChar);
  const flagSet = new FlagSet(file, keyword, flags, (offset) => positionAt(line, offset));
  const argsOffset = rest + leadingSpace(text.slice(rest));
  return { keyword, start, flags: flagSet, argsOffset };
}

function unknownHint(written: string, lineNumber: number, escapeChar: string): string {
  const names = Object.keys(PARSERS);
  if (lineNumber > 1 && !/^[a-z]/i.test(written)) {
    return `should line ${lineNumber - 1} end in ${escapeChar} to go on here?`;
  }
  return didYouMean(written, names) ?? `known are ${names.join(', ')}`;
}

/** Only RUN, COPY and ADD have here-documents, in their shell form, and ONBUILD with one of these. */
function mayHoldHeredocs(source: Syntax, line: LogicalLine, cut: Cut): boolean {
  if (cut.keyword === 'ONBUILD') {
    const end = wordEnd(line.text, cut.argsOffset);
    const trigger = line.text.slice(cut.argsOffset, end).toUpperCase();
    if (!['RUN', 'COPY', 'ADD'].includes(trigger)) return false;
    return mayHoldHeredocs(source, line, cutInstruction(source, line, cut.argsOffset));
  }
  if (!['RUN', 'COPY', 'ADD'].includes(cut.keyword)) return false;
  return readJsonArray(source.file, line, cut.argsOffset) === undefined;
}

interface CutSource extends Syntax {
  readonly line: LogicalLine;
  readonly heredocs: readonly Heredoc[];
  readonly end: SourcePosition;
}

function parseCut(source: CutSource, cut: Cut): Instruction {
  const { file, escapeChar, line, heredocs, end } = source;
  const keywordAt = positionAt(line, cut.start);
  return PARSERS[cut.keyword as Instruction['kind']]({
    file,
    escapeChar,
    line,
    heredocs,
    keyword: cut.keyword,
    keywordAt,
    flags: cut.flags,
    argsOffset: cut.argsOffset,
    args: trimSpace(line.text.slice(cut.argsOffset)),
    base: { range: { start: keywordAt, end }, source: trimSpace(line.text.slice(cut.start)) },
  });
}

/** `ONBUILD instruction`: the instruction is read for its faults now, and again where the image is a base. */
function parseOnbuild(context: ParseContext): OnbuildInstruction {
  context.flags.done();
  requireArguments(context, context.args.length);
  const { file, escapeChar, line, heredocs, argsOffset } = context;
  const cut = cutInstruction({ file, escapeChar }, line, argsOffset);
  if (cut.keyword === 'ONBUILD') fail(context, 'ONBUILD may not follow ONBUILD');
  if (cut.keyword === 'FROM' || cut.keyword === 'MAINTAINER') {
    fail(context, `${cut.keyword} is not allowed behind ONBUILD`);
  }
  const trigger = parseCut({ file, escapeChar, line, heredocs, end: context.base.range.end }, cut);
  const bodies = heredocs.map(({ name, content }) => `\n${content}${name}`);
  return {
    ...context.base,
    kind: 'ONBUILD',
    expression: context.args + bodies.join(''),
    trigger: trigger as StageInstruction,
  };
}
