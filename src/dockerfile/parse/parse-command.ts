import { dockerfileError } from '../dockerfile-error.ts';
import type {
  CmdInstruction,
  CommandLine,
  EntrypointInstruction,
  RunInstruction,
  ShellInstruction,
} from '../instruction.ts';
import type { Word } from '../source.ts';
import { readJsonArray } from '../text/json-array.ts';
import { didYouMean } from '../text/suggest.ts';
import { fail, type ParseContext, requireArguments } from './parse-context.ts';
import { parseRunMount } from './run-mount.ts';

/** The JSON form where it is one, else all of the arguments as text for a shell. */
function parseCommandLine(context: ParseContext): CommandLine {
  const words = readJsonArray(context.file, context.line, context.argsOffset);
  if (words !== undefined) return { form: 'exec', args: words.map(({ text }) => text) };
  return { form: 'shell', text: context.args };
}

/** `RUN [--mount=…] [--network=…] [--security=…] command`. */
export function parseRun(context: ParseContext): RunInstruction {
  const { flags } = context;
  const mounts = flags.strings('mount');
  const network = choice(context, flags.string('network'), ['default', 'none', 'host']);
  const security = choice(context, flags.string('security'), ['sandbox', 'insecure']);
  flags.done();
  for (const mount of mounts) parseRunMount(context.file, mount);
  const command = parseCommandLine(context);
  requireArguments(context, command.form === 'exec' ? command.args.length : command.text.length);
  return {
    ...context.base,
    kind: 'RUN',
    command,
    heredocs: context.heredocs,
    mounts,
    network: network ?? 'default',
    security: security ?? 'sandbox',
    flagsAt: flags.positions(),
  };
}

function choice<T extends string>(
  context: ParseContext,
  word: Word | undefined,
  choices: readonly T[],
): T | undefined {
  if (word === undefined) return undefined;
  const found = choices.find((one) => one === word.text);
  if (found !== undefined) return found;
  throw dockerfileError(
    context.file,
    word.at,
    `${JSON.stringify(word.text)} is not one of ${choices.join(', ')}`,
    { hint: didYouMean(word.text, choices) ?? 'variables are not expanded here' },
  );
}

export function parseCmd(context: ParseContext): CmdInstruction {
  context.flags.done();
  requireArguments(context, context.args.length);
  return { ...context.base, kind: 'CMD', command: parseCommandLine(context) };
}

export function parseEntrypoint(context: ParseContext): EntrypointInstruction {
  context.flags.done();
  requireArguments(context, context.args.length);
  return { ...context.base, kind: 'ENTRYPOINT', command: parseCommandLine(context) };
}

/** `SHELL ["executable", "parameters"]`: only the JSON form. */
export function parseShell(context: ParseContext): ShellInstruction {
  context.flags.done();
  requireArguments(context, context.args.length);
  const command = parseCommandLine(context);
  if (command.form === 'shell') {
    fail(context, 'SHELL requires its arguments in JSON form', 'for example SHELL ["/bin/bash", "-c"]');
  }
  requireArguments(context, command.args.length);
  return { ...context.base, kind: 'SHELL', shell: command.args };
}
