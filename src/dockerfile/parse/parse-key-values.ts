import { splitPair } from '../../options/pair.ts';
import { dockerfileError } from '../dockerfile-error.ts';
import type { ArgInstruction, EnvInstruction, KeyValue, LabelInstruction } from '../instruction.ts';
import { wordAt } from '../text/logical-line.ts';
import { type RawWord, splitQuoted } from '../text/split-words.ts';
import { fail, type ParseContext, requireArguments } from './parse-context.ts';

/** `ENV name=value …`, and the old `ENV name value`. */
export function parseEnv(context: ParseContext): EnvInstruction {
  return { ...context.base, kind: 'ENV', ...parsePairs(context) };
}

/** `LABEL name=value …`, and the old `LABEL name value`. */
export function parseLabel(context: ParseContext): LabelInstruction {
  return { ...context.base, kind: 'LABEL', ...parsePairs(context) };
}

function parsePairs(context: ParseContext): { pairs: KeyValue[]; legacyForm: boolean } {
  const { args, argsOffset, escapeChar, keyword } = context;
  context.flags.done();
  const words = splitQuoted(args, argsOffset, escapeChar);
  requireArguments(context, words.length);
  if (words[0]!.text.includes('=')) {
    return { pairs: words.map((word) => parsePair(context, word)), legacyForm: false };
  }
  const match = /^([^\t\v\f\r ]*)([\t\v\f\r ]+)([\s\S]*)$/.exec(args);
  if (match === null) fail(context, `${keyword} must have two arguments`, `write ${keyword} name=value`);
  const [, name = '', space = '', value = ''] = match;
  const valueOffset = argsOffset + name.length + space.length;
  const pair = {
    key: wordAt(context.line, argsOffset, name),
    value: wordAt(context.line, valueOffset, value),
  };
  return { pairs: [pair], legacyForm: true };
}

function parsePair(context: ParseContext, { text, offset }: RawWord): KeyValue {
  const [name, value] = splitPair(text);
  const key = wordAt(context.line, offset, name);
  if (value === undefined) {
    throw dockerfileError(context.file, key.at, `${JSON.stringify(text)} is not of the form name=value`, {
      hint: 'put a value with spaces in quotes',
    });
  }
  if (name === '') {
    throw dockerfileError(context.file, key.at, `a name of ${context.keyword} may not be empty`);
  }
  return { key, value: wordAt(context.line, offset + name.length + 1, value) };
}

/** `ARG name[=value] …`. */
export function parseArg(context: ParseContext): ArgInstruction {
  context.flags.done();
  const words = splitQuoted(context.args, context.argsOffset, context.escapeChar);
  requireArguments(context, words.length);
  const args = words.map((word) => {
    if (!word.text.includes('=')) return { name: wordAt(context.line, word.offset, word.text) };
    const { key, value } = parsePair(context, word);
    return { name: key, value };
  });
  return { ...context.base, kind: 'ARG', args };
}
