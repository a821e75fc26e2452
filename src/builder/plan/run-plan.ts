import type { RunInstruction } from '../../dockerfile/instruction.ts';
import { heredocText, readHeredocWord } from '../../dockerfile/parse/heredoc.ts';
import type { RunConfig } from '../../oci/image-config.ts';
import { shellOf } from './config-change.ts';

/** What a RUN starts: its argument vector, and a script to be bound in where the vector names one. */
export interface RunArguments {
  readonly args: readonly string[];
  readonly script?: RunScript | undefined;
}

/** A program that a RUN brings along, in `SCRIPT_FOLDER`. */
export interface RunScript {
  readonly name: string;
  readonly content: string;
}

/** Where BuildKit has scripts, too. */
export const SCRIPT_FOLDER = '/dev/pipes';

/**
 * The command of a RUN: the exec form as it is, the shell form as one argument of the stage's shell. A RUN that is
 * one here-document alone is its text, or a program of its own where that begins with `#!`; any other
 * here-document is left to the shell, written out again behind the command.
 */
export function runCommand({ command, heredocs }: RunInstruction, config: RunConfig): RunArguments {
  if (command.form === 'exec') return { args: command.args };
  const shell = shellOf(config);
  const [first] = heredocs;
  if (first === undefined) return { args: [...shell, command.text] };
  if (heredocs.length === 1 && readHeredocWord(command.text.trim()) !== undefined) {
    const text = heredocText(first);
    if (!text.startsWith('#!')) return { args: [...shell, text] };
    return { args: [`${SCRIPT_FOLDER}/${first.name}`], script: { name: first.name, content: text } };
  }
  const documents = heredocs.map(({ content, name }) => `\n${content}${name}`);
  return { args: [...shell, `${command.text}${documents.join('')}`] };
}

/** How the history shows a RUN: `RUN |1 VERSION=3 /bin/sh -c make # buildkit`, the declared ARGs in front. */
export function runHistory(
  args: readonly string[],
  declared: readonly (readonly [string, string])[],
): string {
  const variables = declared.map(([name, value]) => `${name}=${value}`);
  const prefix = variables.length === 0 ? [] : [`|${variables.length}`, ...variables];
  return `RUN ${[...prefix, ...args].join(' ')} # buildkit`;
}
