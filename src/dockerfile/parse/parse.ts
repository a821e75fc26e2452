/**
 * The room of the parser: a whole Dockerfile, or the one instruction of an ONBUILD trigger, with a file for each
 * family of instructions. Builds call it, and `import --change`. A fault that depends on no variable is told here,
 * with its line and column; values are expanded and read later, by the same functions (`parseRunMount`,
 * `exposedPorts`).
 *
 *     const dockerfile = parseDockerfile('FROM node\nRUN npm test\n', 'Dockerfile');
 *     const trigger = parseTrigger('COPY . /app', 'example.org/base:1');
 */

import { runChecks } from '../check/checks.ts';
import type { ParsedLine } from '../check/rule.ts';
import { dockerfileError } from '../dockerfile-error.ts';
import type { ArgInstruction, Dockerfile, Stage, StageInstruction } from '../instruction.ts';
import { leadingSpace, trimSpace } from '../text/characters.ts';
import { decodeDockerfile, refuseLongLines } from '../text/decode.ts';
import { isComment, joinContinuations, LineReader } from '../text/logical-line.ts';
import { readDirectives } from './directives.ts';
import { parseInstruction } from './parse-instruction.ts';

/**
 * Reads a Dockerfile: text, or UTF-8 bytes. `file` is its name in messages. Nothing is expanded, fetched or looked up,
 * so faults that depend on the values of variables come later. Throws `syntax` with file, line and column.
 */
export function parseDockerfile(content: Uint8Array | string, file: string): Dockerfile {
  const text = decodeDockerfile(content, file);
  refuseLongLines(text, file);
  const { directives, escapeChar } = readDirectives(text, file);
  const lines = readInstructions(text, { file, escapeChar });
  if (lines.length === 0) {
    throw dockerfileError(file, { line: 1, column: 1 }, `${file} has no instructions`, {
      hint: 'begin with FROM and the name of an image',
    });
  }
  const globalArgs: ArgInstruction[] = [];
  const stages: (Stage & { readonly instructions: StageInstruction[] })[] = [];
  for (const { instruction } of lines) {
    const stage = stages.at(-1);
    if (instruction.kind === 'FROM') {
      stages.push({ index: stages.length, from: instruction, instructions: [] });
    } else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.kind === 'ARG') globalArgs.push(instruction);
    else {
      throw dockerfileError(
        file,
        instruction.range.start,
        `${instruction.kind} stands before the first FROM`,
        {
          hint: 'only ARG may come before FROM',
        },
      );
    }
  }
  if (stages.length === 0) {
    throw dockerfileError(file, lines.at(-1)!.instruction.range.start, `${file} has no FROM`);
  }
  const parsed = { file, escapeChar, directives, globalArgs, stages };
  return { ...parsed, warnings: runChecks({ dockerfile: parsed, lines }) };
}

function readInstructions(text: string, syntax: { file: string; escapeChar: '\\' | '`' }): ParsedLine[] {
  const reader = new LineReader(text);
  const lines: ParsedLine[] = [];
  let comments: string[] = [];
  for (let first = reader.next(); first !== undefined; first = reader.next()) {
    const indent = leadingSpace(first.text);
    if (indent === first.text.length) continue;
    if (isComment(first.text)) {
      const comment = trimSpace(first.text.slice(indent + 1));
      comments = comment === '' ? [] : [...comments, comment];
      continue;
    }
    const line = joinContinuations(first, reader, syntax.escapeChar, comments);
    if (line.text.trim() === '') continue;
    lines.push({ instruction: parseInstruction(syntax, line, reader), line });
    comments = [];
  }
  return lines;
}

/**
 * Reads what an image's configuration keeps as an ONBUILD trigger. `origin` names the image in messages; an error has
 * its place in the trigger's own text. Throws `syntax`, also where it is more than one instruction.
 */
export function parseTrigger(expression: string, origin: string): StageInstruction {
  const syntax = { file: `ONBUILD of ${origin}`, escapeChar: '\\' } as const;
  refuseLongLines(expression, syntax.file);
  const [line, second] = readInstructions(expression, syntax);
  const start = { line: 1, column: 1 };
  if (line === undefined || second !== undefined) {
    throw dockerfileError(syntax.file, start, 'an ONBUILD trigger is exactly one instruction');
  }
  const { instruction } = line;
  if (['FROM', 'MAINTAINER', 'ONBUILD'].includes(instruction.kind)) {
    throw dockerfileError(syntax.file, start, `${instruction.kind} is not allowed as an ONBUILD trigger`);
  }
  return instruction as StageInstruction;
}
