import { BaseCommand } from '../../cli/base-command.ts';
import { formatFlag, toggle } from '../../cli/flags.ts';
import { inspectTargets } from '../../cli/inspect-output.ts';
import { openRenderer } from '../../cli/renderer.ts';
import { findContainer } from '../../container/container-catalog.ts';
import { inspectContainer } from '../../container/inspect-container.ts';
import { sweepContainers } from '../../container/sweep-containers.ts';
import { openSession } from '../../session.ts';

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
    const session = openSession({ emit: openRenderer('quiet').emit, signal: this.signals.signal });
    await sweepContainers(session);
    await inspectTargets(args, flags.format, async (name) => {
      return await inspectContainer(session, await findContainer(session.paths, name), { size: flags.size });
    });
  }
}
