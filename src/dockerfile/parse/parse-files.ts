import { dockerfileError } from '../dockerfile-error.ts';
import type { AddInstruction, CopyInstruction, FileInstruction, Heredoc } from '../instruction.ts';
import type { Word } from '../source.ts';
import { readJsonArray } from '../text/json-array.ts';
import { positionAt } from '../text/logical-line.ts';
import { type RawWord, splitFields } from '../text/split-words.ts';
import { readHeredocWord } from './heredoc.ts';
import { fail, type ParseContext, requireArguments, toWords } from './parse-context.ts';

/** `COPY [flags] source … destination`, or the same as a JSON array. */
export function parseCopy(context: ParseContext): CopyInstruction {
  const { flags } = context;
  const shared = parseSharedFlags(context);
  const from = flags.string('from');
  flags.done();
  if (from?.text.includes('$')) {
    throw dockerfileError(context.file, from.at, 'variables are not expanded in --from', {
      hint: 'define a stage with FROM and a global ARG, and copy from that stage',
    });
  }
  return {
    ...context.base,
    kind: 'COPY',
    ...parseSources(context),
    ...shared,
    flagsAt: flags.positions(),
    from,
  };
}

/** `ADD [flags] source … destination`, or the same as a JSON array. */
export function parseAdd(context: ParseContext): AddInstruction {
  const { flags } = context;
  const shared = parseSharedFlags(context);
  const checksum = flags.string('checksum');
  const keepGitDir = flags.boolean('keep-git-dir') ?? false;
  const unpack = flags.boolean('unpack');
  flags.done();
  return {
    ...context.base,
    kind: 'ADD',
    ...parseSources(context),
    ...shared,
    keepGitDir,
    flagsAt: flags.positions(),
    checksum,
    unpack,
  };
}

type SharedFlags = Pick<FileInstruction, 'chown' | 'chmod' | 'link' | 'parents' | 'excludes'>;

function parseSharedFlags({ flags, keyword }: ParseContext): SharedFlags {
  const chown = flags.string('chown');
  const chmod = flags.string('chmod');
  return {
    link: flags.boolean('link') ?? false,
    parents: keyword === 'COPY' && (flags.boolean('parents') ?? false),
    excludes: flags.strings('exclude'),
    chown,
    chmod,
  };
}

function parseSources(context: ParseContext): Pick<FileInstruction, 'sources' | 'contents' | 'destination'> {
  const { keyword, args, argsOffset, line } = context;
  const words = readJsonArray(context.file, line, argsOffset) ?? splitFields(args, argsOffset);
  if (words.length < 2) {
    fail(
      context,
      `${keyword} requires at least two arguments, sources and a destination; ${words.length} given`,
    );
  }
  requireArguments(context, words.length);
  const last = words.at(-1)!;
  if (readHeredocWord(last.text) !== undefined) {
    const at = positionAt(line, last.offset);
    throw dockerfileError(context.file, at, `the destination of ${keyword} cannot be a here-document`);
  }
  const paths: RawWord[] = [];
  const contents: Heredoc[] = [];
  const waiting = [...context.heredocs];
  for (const word of words.slice(0, -1)) {
    const heredoc = readHeredocWord(word.text);
    const index = heredoc === undefined ? -1 : waiting.findIndex(({ name }) => name === heredoc.name);
    if (index >= 0) contents.push(...waiting.splice(index, 1));
    else paths.push(word);
  }
  refuseUnused(context, waiting);
  const destination: Word = toWords(context, [last])[0]!;
  return { sources: toWords(context, paths), contents, destination };
}

/** A here-document that no source stands for would be dropped silently. */
function refuseUnused(context: ParseContext, [unused]: readonly Heredoc[]): void {
  if (unused === undefined) return;
  throw dockerfileError(
    context.file,
    unused.at,
    `here-document ${unused.name} is not a source of ${context.keyword}`,
    { hint: `write <<${unused.name} as a word of its own, without space behind <<` },
  );
}
