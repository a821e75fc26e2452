import { BaseCommand } from '../cli/base-command.ts';
import { forEachTarget } from '../cli/each-target.ts';
import { text } from '../cli/flags.ts';
import { openRenderer } from '../cli/renderer.ts';
import { findContainer } from '../container/container-catalog.ts';
import { killContainer } from '../container/stop-container.ts';
import { sweepContainers } from '../container/sweep-containers.ts';
import { openSession } from '../session.ts';

export default class Kill extends BaseCommand {
  static override summary = 'Send a signal to running containers';
  static override usage = '[OPTIONS] CONTAINER [CONTAINER...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = {
    signal: text({ char: 's', description: 'signal to send; the default is KILL' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Kill);
    const session = openSession({ emit: openRenderer('quiet').emit, signal: this.signals.signal });
    await sweepContainers(session);
    await forEachTarget(args, async (name) => {
      killContainer(session, await findContainer(session.paths, name), flags.signal ?? 'KILL');
      return name;
    });
  }
}
