/**
 * The room of variables: `$x` and `${x:-word}` replaced in the words of an instruction, and the values of ARGs. The
 * planning of builds calls it; `check` finds unset variables by it, and `parse` takes quotes away. A RUN stays as it
 * is: its variables are the shell's to expand.
 *
 *     const context = { file: 'Dockerfile', escapeChar: '\\', env: new Map([['VERSION', '3']]) } as const;
 *     const { sources } = expandInstruction(copy, context);
 *     const { text } = expandWord(context, word);
 */

import { located } from '../dockerfile-error.ts';
import type { Heredoc, KeyValue, StageInstruction } from '../instruction.ts';
import type { Word } from '../source.ts';
import { type Environment, expandText } from './expand-word.ts';

/** How words are expanded: the variables, and what the file says. */
export interface ExpandContext {
  readonly file: string;
  readonly escapeChar: '\\' | '`';
  /** What ENV and ARG have set in the stage before this instruction. */
  readonly env: Environment;
  /** Told for each variable that is not set. */
  readonly onMissing?: ((name: string, word: Word) => void) | undefined;
}

/** One word with its variables replaced and its quotes taken away. Throws `syntax` at the word. */
export function expandWord(context: ExpandContext, word: Word): Word {
  const { file, escapeChar, env, onMissing } = context;
  const expansion = located(file, word.at, () => expandText(word.text, env, { escapeChar }));
  for (const name of expansion.missing) onMissing?.(name, word);
  return { text: expansion.text, at: word.at };
}

/** Like `expandWord`, but what comes out is divided at white space: one word may become several, or none. */
function expandToWords(context: ExpandContext, word: Word): Word[] {
  const { file, escapeChar, env, onMissing } = context;
  const expansion = located(file, word.at, () => expandText(word.text, env, { escapeChar }));
  for (const name of expansion.missing) onMissing?.(name, word);
  return expansion.words.map((text) => ({ text, at: word.at }));
}

/**
 * The instruction with its variables replaced, where its kind has any replaced: all words of one instruction see the
 * values from before it. ARG comes back as it is (`resolveArg` in build-args.ts: each of its defaults sees the ones
 * before it), and so do CMD, ENTRYPOINT, HEALTHCHECK, MAINTAINER, ONBUILD and SHELL. Nothing of RUN is replaced here:
 * the shell expands its command, and `parseRunMount` its mounts. Throws `syntax` at the faulty word.
 */
export function expandInstruction<T extends StageInstruction>(instruction: T, context: ExpandContext): T {
  return { ...instruction, ...expandedParts(instruction, context) };
}

function expandedParts(instruction: StageInstruction, context: ExpandContext): Partial<StageInstruction> {
  const expand = (word: Word) => expandWord(context, word);
  const expandGiven = (word: Word | undefined) => (word === undefined ? undefined : expand(word));
  switch (instruction.kind) {
    case 'ENV':
    case 'LABEL':
      return { pairs: instruction.pairs.map((pair) => expandPair(context, pair)) };
    case 'ADD':
    case 'COPY':
      return {
        sources: instruction.sources.map(expand),
        contents: instruction.contents.map((heredoc) => expandHeredoc(context, heredoc)),
        destination: expand(instruction.destination),
        excludes: instruction.excludes.map(expand),
        chown: expandGiven(instruction.chown),
        chmod: expandGiven(instruction.chmod),
        ...(instruction.kind === 'ADD' && { checksum: expandGiven(instruction.checksum) }),
      };
    case 'EXPOSE':
      return { ports: instruction.ports.flatMap((word) => expandToWords(context, word)) };
    case 'USER':
      return { user: expand(instruction.user) };
    case 'WORKDIR':
      return { path: expand(instruction.path) };
    case 'STOPSIGNAL':
      return { signal: expand(instruction.signal) };
    case 'VOLUME':
      return { paths: instruction.paths.map(expand) };
    default:
      return {};
  }
}

function expandPair(context: ExpandContext, { key, value }: KeyValue): KeyValue {
  return { key: expandWord(context, key), value: expandWord(context, value) };
}

/** Quotes in a here-document are its own; only variables are replaced, and `\$` is a dollar sign. */
function expandHeredoc(context: ExpandContext, heredoc: Heredoc): Heredoc {
  if (!heredoc.expand) return heredoc;
  const { file, env, onMissing } = context;
  const options = { escapeChar: '\\', skipQuotes: true } as const;
  const expansion = located(file, heredoc.at, () => expandText(heredoc.content, env, options));
  for (const name of expansion.missing) onMissing?.(name, { text: heredoc.name, at: heredoc.at });
  return { ...heredoc, content: expansion.text };
}
