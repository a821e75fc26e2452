import { heredocText, readHeredocWord } from './heredoc.ts';
import type { RunInstruction } from './instruction.ts';

/** What a RUN starts. */
export interface RunCommand {
  readonly args: readonly string[];
  /** A script of a here-document with `#!`: it is to be a file (0755, read-only) at `path`, and is what `args` starts. */
  readonly script?: { readonly path: string; readonly content: string };
}

/**
 * The argument vector of a RUN under the stage's shell. A RUN that is nothing but a here-document gives its text to
 * the shell, or is a program of its own where the text begins with `#!`; any other one hands its here-documents
 * to the shell as they are.
 */
export function runCommand(
  { command, heredocs }: Pick<RunInstruction, 'command' | 'heredocs'>,
  shell: readonly string[],
): RunCommand {
  if (command.form === 'exec') return { args: command.args };
  const [first] = heredocs;
  if (first === undefined) return { args: [...shell, command.text] };
  if (readHeredocWord(command.text) === undefined) {
    const bodies = heredocs.map(({ content, name }) => `\n${content}${name}`);
    return { args: [...shell, command.text + bodies.join('')] };
  }
  const text = heredocText(first);
  if (!text.startsWith('#!')) return { args: [...shell, text] };
  const path = `/dev/pipes/${first.name.replaceAll('/', '_')}`;
  return { args: [path], script: { path, content: text } };
}
