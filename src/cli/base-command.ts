/**
 * The room of the command line: what all commands have in common. A command is a subclass of `BaseCommand`, reads its
 * flags, calls one function of the domain, and prints. All of `commands` calls it; `main.ts` runs the program. It
 * knows the grammar of options and, of the domain, nothing but types: no function of a domain folder is called from
 * here.
 *
 *     export default class Tag extends BaseCommand {
 *       static override arity = [2, 2] as const;
 *       async run(): Promise<void> {
 *         const { args } = await this.read(Tag);
 *         await tagImage(await this.engine.store(), args[0]!, args[1]!);
 *       }
 *     }
 */

import { Command } from '@oclif/core/command';
import { type Call, openCall } from '../call.ts';
import type { Engine } from '../engine.ts';
import { OcitsError } from '../errors.ts';
import { type FlagTable, readFlags, textsOfEnvironment } from '../options/flag-table.ts';
import type { Surroundings } from '../options/value-kind.ts';
import { canonicalArgv, type FlagShape } from './argv/docker-args.ts';
import { readFlagFile } from './argv/flag-files.ts';
import type { OclifFlag, ReadFlags } from './argv/flags.ts';
import { type ExitCodes, PLAIN_EXIT_CODES } from './exit-codes.ts';
import { printable, writeResult } from './output/printable.ts';
import { signalScope } from './process/interrupt.ts';
import { openRenderer } from './render/renderer.ts';
import type { Renderer } from './render/screen.ts';

const SURROUNDINGS: Surroundings = {
  // There may be none any more, which only matters where it is asked for.
  get folder() {
    return process.cwd();
  },
  env: process.env,
  readFile: readFlagFile,
};

/**
 * What all commands have in common: Docker's way of reading the command line, a signal that Ctrl-C aborts, and
 * output on the right stream. A command parses, calls one function of the domain, and prints.
 */
export abstract class BaseCommand extends Command {
  /** False where everything behind the first argument belongs to the container. */
  static interspersed = true;
  /** How many arguments there may be: at least and at most. */
  static arity: readonly [number, number] = [0, 0];
  static exitCodes: ExitCodes = PLAIN_EXIT_CODES;
  static override strict = false;
  static override flags: (typeof Command)['flags'] = {};

  /** Aborted by Ctrl-C or SIGTERM. A command that forwards signals itself calls `signals.release()`. */
  readonly signals = signalScope();

  #engine: Engine | undefined;
  #name = 'command';

  /** What the command works with. */
  get engine(): Engine {
    return this.#engine!;
  }

  /**
   * Runs the command to its end with an engine that is the caller's to dispose; throws what failed. Its events' tasks
   * begin with `name`.
   */
  async execute(engine: Engine, name: string): Promise<void> {
    this.#engine = engine;
    this.#name = name;
    await this._run();
  }

  /** Reads the command line as Docker does. `args` are the arguments, `flags` what `command.flags` declares. */
  protected async read<C extends typeof BaseCommand>(
    command: C,
  ): Promise<{ flags: ReadFlags<C['flags']>; args: string[] }> {
    const shapes = Object.entries(command.flags).map(([name, flag]) => ({ ...flag, name }) as FlagShape);
    const { interspersed } = command;
    const onRetired = (line: string) => this.complain(line);
    const canonical = canonicalArgv(this.argv, shapes, { interspersed, onRetired });
    const args = canonical.slice(canonical.indexOf('--') + 1);
    checkArity(args.length, command.arity);
    const parsed = await this.parse({ flags: command.flags, strict: false }, canonical);
    const declared = Object.entries(command.flags as Readonly<Record<string, OclifFlag<unknown>>>);
    const table: FlagTable = Object.fromEntries(declared.map(([name, { entry }]) => [name, entry]));
    const texts = { ...textsOfEnvironment(table, process.env), ...parsed.flags };
    return { flags: readFlags(table, texts, SURROUNDINGS) as ReadFlags<C['flags']>, args };
  }

  /** The request of this command. `renderer` shows its events; by default only warnings are shown. */
  protected call(renderer: Pick<Renderer, 'emit'> = openRenderer('quiet')): Call {
    return openCall(this.#name, { signal: this.signals.signal, emit: renderer.emit });
  }

  /** Writes a result, and the line's end, to standard output. */
  protected print(line: string): void {
    writeResult(`${line}\n`);
  }

  protected printJson(value: unknown): void {
    this.print(JSON.stringify(value, null, 2));
  }

  /** Writes a warning to standard error. */
  protected complain(line: string): void {
    process.stderr.write(`${printable(line)}\n`);
  }

  // main.ts prints errors and chooses the exit code, once for all commands.
  override async catch(error: Error): Promise<never> {
    throw error;
  }
}

function checkArity(given: number, [least, most]: readonly [number, number]): void {
  if (given >= least && given <= most) return;
  const wanted =
    least === most
      ? `${least === 0 ? 'no arguments' : plural(least)}`
      : most === Number.POSITIVE_INFINITY
        ? `at least ${plural(least)}`
        : `${least} to ${plural(most)}`;
  throw new OcitsError(
    'usage',
    `this command takes ${wanted}, and ${given} ${given === 1 ? 'was' : 'were'} given`,
  );
}

function plural(count: number): string {
  return `${count} argument${count === 1 ? '' : 's'}`;
}
