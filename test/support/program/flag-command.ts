import * as Flags from '@oclif/core/flags';
import { BaseCommand } from '../../../src/cli/base-command.ts';
import { openEngine } from '../../../src/open-engine.ts';

/** A command with a flag of each kind, which keeps what it read. */
class FlagCommand extends BaseCommand {
  static override id = 'flags';
  static override arity = [0, 2] as const;
  static override flags = {
    name: Flags.string({ char: 'n' }),
    env: Flags.string({ char: 'e', multiple: true, multipleNonGreedy: true }),
    pull: Flags.option({ options: ['always', 'never'] as const, multiple: false })(),
    rm: Flags.boolean({ char: 'r' }),
    truncate: Flags.boolean({ default: true, allowNo: true }),
    here: Flags.string({ exclusive: ['name'] }),
    with: Flags.string({ dependsOn: ['name'] }),
    parsed: Flags.string({ parse: async (text) => text.toUpperCase() }),
  };
  result: unknown;

  async run(): Promise<void> {
    const { flags, args } = await this.read(FlagCommand);
    this.result = { flags: { ...flags }, args };
  }
}

/** What the command reads, or the name and message of what it throws. `config` stands in for oclif's. */
export async function readFlags(argv: readonly string[], config: object): Promise<unknown> {
  const command = new FlagCommand([...argv], config as never);
  try {
    await command.execute(openEngine(), 'flags');
    return command.result;
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  } finally {
    command.signals.release();
  }
}
