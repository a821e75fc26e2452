/**
 * The room of the commands that show containers: `ps`, `inspect`, `logs`, `top`, `port` and `export`. Only the table
 * of commands loads them. They change no container. Those that show a state first clear up what killed processes have
 * left.
 *
 *     $ ocits container inspect --format '{{.State.Status}}' web
 *     const record = await findContainer(engine.paths, 'web');
 *     const data = await inspectContainer(engine, record);
 *     await inspectTargets(['web'], format, async () => ({ data, shape: CONTAINER }));
 */

import { formatFlag, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { CONTAINER } from '../../cli/shapes/container-shape.ts';
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
    await sweepContainers(engine, this.call());
    await inspectTargets(args, flags.format, async (name) => {
      const record = await findContainer(engine.paths, name);
      return { data: await inspectContainer(engine, record, { size: flags.size }), shape: CONTAINER };
    });
  }
}
