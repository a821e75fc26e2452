import { BaseCommand } from '../cli/base-command.ts';
import { stopFlags } from '../cli/container-flags.ts';
import { forEachTarget } from '../cli/each-target.ts';
import { openRenderer } from '../cli/renderer.ts';
import { findContainer } from '../container/container-catalog.ts';
import { stopContainer } from '../container/stop-container.ts';
import { sweepContainers } from '../container/sweep-containers.ts';
import { openSession } from '../session.ts';
import { stopOptions } from './container/stop-options.ts';

export default class Stop extends BaseCommand {
  static override summary = 'Stop running containers';
  static override usage = '[OPTIONS] CONTAINER [CONTAINER...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = stopFlags;

  async run(): Promise<void> {
    const { flags, args } = await this.read(Stop);
    const { signal } = this.signals;
    const session = openSession({ emit: openRenderer('quiet').emit, signal });
    await sweepContainers(session);
    await forEachTarget(args, async (name) => {
      const record = await findContainer(session.paths, name);
      await stopContainer(session, record, { ...stopOptions(flags), signal });
      return name;
    });
  }
}
