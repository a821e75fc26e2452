import { text } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { forEachTarget } from '../../cli/output/each-target.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { killContainer } from '../../container/end/stop-container.ts';
import { findContainer } from '../../container/record/catalog.ts';

export default class Kill extends BaseCommand {
  static override summary = 'Send a signal to running containers';
  static override usage = '[OPTIONS] CONTAINER [CONTAINER...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = {
    signal: text({ char: 's', description: 'signal to send; the default is KILL' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Kill);
    const { engine } = this;
    await sweepContainers(engine, this.call());
    await forEachTarget(args, async (name) => {
      killContainer(engine, await findContainer(engine.paths, name), flags.signal ?? 'KILL');
      return name;
    });
  }
}
