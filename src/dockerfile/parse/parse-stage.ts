import { dockerfileError } from '../dockerfile-error.ts';
import type { FromInstruction } from '../instruction.ts';
import type { Word } from '../source.ts';
import { splitFields } from '../text/split-words.ts';
import { fail, type ParseContext, toWords } from './parse-context.ts';

/** `FROM [--platform=…] image [AS name]`. */
export function parseFrom(context: ParseContext): FromInstruction {
  const platform = context.flags.string('platform');
  context.flags.done();
  const words = toWords(context, splitFields(context.args, context.argsOffset));
  const [base, as, name] = words;
  const named = words.length === 3 && as!.text.toLowerCase() === 'as';
  if (base === undefined || (words.length !== 1 && !named)) {
    fail(context, 'FROM requires either one or three arguments', 'write FROM image or FROM image AS name');
  }
  return {
    ...context.base,
    kind: 'FROM',
    base,
    platform,
    name: name === undefined ? undefined : stageName(context, name),
  };
}

function stageName(context: ParseContext, word: Word): string {
  const name = word.text.toLowerCase();
  if (/^[a-z][a-z0-9_.-]*$/.test(name)) return name;
  throw dockerfileError(context.file, word.at, `invalid name for a stage: ${JSON.stringify(word.text)}`, {
    hint: 'a name begins with a letter, and goes on with letters, digits, "_", "." and "-"',
  });
}
