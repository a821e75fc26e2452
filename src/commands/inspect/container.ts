import { formatFlag, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { inspectTargets } from '../../cli/template/inspect-output.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { inspectContainer } from '../../container/show/inspect-container.ts';

export default class ContainerInspect extends BaseCommand {
  static override summary = 'Show all that is known of containers';
  static override usage = '[OPTIONS] CONTAINER [CONTAINER...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = {
    format: formatFlag,
    size: toggle({ char: 's', description: 'with what each container has written' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(ContainerInspect);
    const { engine } = this;
    await sweepContainers(engine);
    await inspectTargets(args, flags.format, async (name) => {
      return await inspectContainer(engine, await findContainer(engine.paths, name), { size: flags.size });
    });
  }
}
