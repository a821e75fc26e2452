import { BaseCommand } from '../../cli/base-command.ts';
import { forEachTarget } from '../../cli/output/each-target.ts';
import { cleanupCommand } from '../../cli/process/self-command.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { restartContainer } from '../../container/end/stop-container.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { openSession } from '../../session.ts';
import { stopFlags } from './run-flags.ts';
import { stopOptions } from './stop-options.ts';

export default class Restart extends BaseCommand {
  static override summary = 'Stop containers and start them again';
  static override usage = '[OPTIONS] CONTAINER [CONTAINER...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = stopFlags;

  async run(): Promise<void> {
    const { flags, args } = await this.read(Restart);
    const { signal } = this.signals;
    const session = openSession({ emit: openRenderer('quiet').emit, signal });
    await sweepContainers(session);
    await forEachTarget(args, async (name) => {
      const record = await findContainer(session.paths, name);
      const options = { ...stopOptions(flags), cleanupCommand: cleanupCommand(session.paths), signal };
      await restartContainer(session, record, options);
      return name;
    });
  }
}
