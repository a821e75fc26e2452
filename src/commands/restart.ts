import { BaseCommand } from '../cli/base-command.ts';
import { stopFlags } from '../cli/container-flags.ts';
import { forEachTarget } from '../cli/each-target.ts';
import { openRenderer } from '../cli/renderer.ts';
import { cleanupCommand } from '../cli/self-command.ts';
import { findContainer } from '../container/container-catalog.ts';
import { restartContainer } from '../container/stop-container.ts';
import { sweepContainers } from '../container/sweep-containers.ts';
import { openSession } from '../session.ts';
import { stopOptions } from './container/stop-options.ts';

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
