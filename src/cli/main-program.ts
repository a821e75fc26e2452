import type { Engine } from '../engine.ts';
import { firstFailure, isOcitsError, OcitsError } from '../errors.ts';
import { HelpAsked } from './argv/docker-args.ts';
import { toolPath } from './argv/tool-path.ts';
import type { BaseCommand } from './base-command.ts';
import { type ExitCodes, PLAIN_EXIT_CODES } from './exit-codes.ts';
import { oclifConfig } from './oclif/oclif-config.ts';
import { exitCodeFor, printError } from './output/error-output.ts';
import { OutputFailures } from './output/output-failure.ts';
import { printableLine } from './output/printable.ts';

type CommandClass = (new (argv: string[], config: never) => BaseCommand) & { readonly exitCodes: ExitCodes };

/** Loads one command's module, and only that. Keys are `name` or `topic:name`. */
export type CommandTable = Readonly<Record<string, () => Promise<{ readonly default: unknown }>>>;

export interface Program {
  readonly version: string;
  readonly commands: CommandTable;
  /** What the command works with; it costs nothing until a part is asked for. */
  readonly openEngine: () => Engine;
  /** Prints what can stand at the end of `words`, for the completion of shells; loaded only then. */
  readonly complete: (words: readonly string[]) => Promise<void>;
  /** The help of one command, or of all; loaded only when it is asked for. */
  readonly helpText: (id: string | undefined) => Promise<string>;
}

/** Docker's exit code for a flag in front of the command that it does not know. */
const UNKNOWN_FLAG = 125;

/** What the scripts of shells call. */
const COMPLETE_COMMAND = '__complete';

/** What a shell says of a program that SIGPIPE has ended, as it ends Docker's. */
const READER_GONE = 141;

type ShowHelp = (id: string | undefined) => Promise<void>;

/** Finds the command that `argv` names, runs it, prints its failure and sets the exit code. */
export async function runProgram(argv: readonly string[], program: Program): Promise<void> {
  const failures = new OutputFailures();
  failures.keep();
  const codes = await runCommand(argv, program, failures);
  if (failures.error === undefined || codes === undefined) return;
  printError(failures.error);
  process.exitCode ||= codes.failure;
}

/** Gives the exit codes of what has run; undefined where its failure is told already. */
async function runCommand(
  argv: readonly string[],
  program: Program,
  failures: OutputFailures,
): Promise<ExitCodes | undefined> {
  const showHelp: ShowHelp = async (of) => {
    const text = await program.helpText(of);
    failures.keep();
    process.stdout.write(text);
  };
  process.env['PATH'] = toolPath(process.env['PATH']);
  const words = withoutGlobalFlags(argv);
  const [first] = words;
  if (first === '--version' || first === '-v') {
    process.stdout.write(`ocits version ${program.version}\n`);
    return PLAIN_EXIT_CODES;
  }
  const id = commandId(words, program.commands);
  if (first === undefined || first === '--help' || first === '-h') return await plainly(showHelp(undefined));
  if (first === COMPLETE_COMMAND) return await plainly(program.complete(words.slice(1)));
  if (first === 'help') return await plainly(help(words.slice(1), program, showHelp));
  if (id === undefined) return await plainly(unknownCommand(words, program, showHelp));
  let command: BaseCommand | undefined;
  let codes = PLAIN_EXIT_CODES;
  try {
    const commandClass = (await program.commands[id]!()).default as CommandClass;
    failures.keep();
    codes = commandClass.exitCodes;
    const rest = words.slice(id.includes(':') ? 2 : 1);
    command = new commandClass(rest, oclifConfig(program.version) as never);
    await using engine = program.openEngine();
    await command.execute(engine, id.slice(id.lastIndexOf(':') + 1));
  } catch (error) {
    if (error instanceof HelpAsked) return await plainly(showHelp(id));
    const isTold = isOcitsError(firstFailure(error));
    if (failures.readerHasGone && !isTold) process.exitCode = READER_GONE;
    else {
      const shown = isTold ? error : (failures.error ?? error);
      printError(shown, id.replace(':', ' '));
      process.exitCode = exitCodeFor(shown, codes, command?.signals.received);
    }
    return undefined;
  }
  return codes;
}

async function plainly(done: Promise<void>): Promise<ExitCodes> {
  await done;
  return PLAIN_EXIT_CODES;
}

/** Notes `--debug`; what is behind it. */
function withoutGlobalFlags(argv: readonly string[]): readonly string[] {
  let at = 0;
  while (argv[at] === '--debug' || argv[at] === '-D') at++;
  if (at > 0) process.env['OCITS_DEBUG'] = '1';
  return argv.slice(at);
}

function commandId(words: readonly string[], commands: CommandTable): string | undefined {
  const [first, second] = words;
  if (first === undefined) return undefined;
  if (second !== undefined && Object.hasOwn(commands, `${first}:${second}`)) return `${first}:${second}`;
  return Object.hasOwn(commands, first) ? first : undefined;
}

async function help(words: readonly string[], program: Program, showHelp: ShowHelp): Promise<void> {
  const id = commandId(words, program.commands);
  if (id === undefined && words.length > 0) await unknownCommand([words[0]!], program, showHelp);
  else await showHelp(id);
}

async function unknownCommand(words: readonly string[], program: Program, showHelp: ShowHelp): Promise<void> {
  const [first, second] = words;
  const isTopic = Object.keys(program.commands).some((id) => id.startsWith(`${first}:`));
  if (isTopic && (second === undefined || second === '--help')) return await showHelp(first);
  const { MISSING_COMMANDS, MISSING_GLOBAL_FLAGS } = await import('./missing-commands.ts');
  const isFlag = first!.startsWith('-');
  const hints = isFlag ? MISSING_GLOBAL_FLAGS : MISSING_COMMANDS;
  const names = isFlag ? [first!.replace(/=.*$/s, '')] : [`${first} ${second}`, `${first}`];
  const missing = names.find((name) => Object.hasOwn(hints, name));
  if (missing !== undefined) {
    printError(new OcitsError('unsupported', `${missing} is not there yet`, { hint: hints[missing]! }));
    process.exitCode = isFlag ? UNKNOWN_FLAG : PLAIN_EXIT_CODES.failure;
    return;
  }
  const name = printableLine(isTopic ? `${first} ${second}` : `${first}`);
  const what = isFlag ? `unknown flag: ${name}` : `'${name}' is not an ocits command.`;
  process.stderr.write(`ocits: ${what}\nSee 'ocits --help'\n`);
  process.exitCode = isFlag ? UNKNOWN_FLAG : PLAIN_EXIT_CODES.failure;
}
