import { oclifFlags } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { START_EXIT_CODES } from '../../cli/exit-codes.ts';
import { forEachTarget } from '../../cli/output/each-target.ts';
import { cleanupCommand } from '../../cli/process/self-command.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { startContainer } from '../../container/start/start-container.ts';

const CHECKPOINT = 'leave it out: it starts from the beginning';
const FOLLOW = 'start it in the background, and follow it with: ocits logs -f';

export default class Start extends BaseCommand {
  static override summary = 'Start containers that do not run';
  static override usage = '[OPTIONS] CONTAINER [CONTAINER...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override exitCodes = START_EXIT_CODES;
  static override flags = oclifFlags({
    checkpoint: { form: 'one', missing: CHECKPOINT },
    'checkpoint-dir': { form: 'one', missing: CHECKPOINT },
    'detach-keys': { form: 'one', missing: FOLLOW },
    attach: { form: 'switch', char: 'a', missing: FOLLOW },
    interactive: { form: 'switch', char: 'i', missing: FOLLOW },
  });

  async run(): Promise<void> {
    const { args } = await this.read(Start);
    const { engine } = this;
    const call = this.call();
    await sweepContainers(engine, this.call());
    await forEachTarget(args, async (name) => {
      const record = await findContainer(engine.paths, name);
      await startContainer(engine, call, record, { cleanupCommand: cleanupCommand(engine.paths) });
      return name;
    });
  }
}
