import { BaseCommand } from '../../cli/base-command.ts';
import { forEachTarget } from '../../cli/output/each-target.ts';
import { cleanupCommand } from '../../cli/process/self-command.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { restartContainer } from '../../container/end/stop-container.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { stopFlags } from './run-flags.ts';
import { stopOptions } from './stop-options.ts';

export default class Restart extends BaseCommand {
  static override summary = 'Stop containers and start them again';
  static override usage = '[OPTIONS] CONTAINER [CONTAINER...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = stopFlags;

  async run(): Promise<void> {
    const { flags, args } = await this.read(Restart);
    const { engine } = this;
    const call = this.call();
    await sweepContainers(engine, this.call());
    await forEachTarget(args, async (name) => {
      const record = await findContainer(engine.paths, name);
      const options = { ...stopOptions(flags), cleanupCommand: cleanupCommand(engine.paths) };
      await restartContainer(engine, call, record, options);
      return name;
    });
  }
}
