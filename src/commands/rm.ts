import { BaseCommand } from '../cli/base-command.ts';
import { forEachTarget } from '../cli/each-target.ts';
import { toggle } from '../cli/flags.ts';
import { openRenderer } from '../cli/renderer.ts';
import { findContainer } from '../container/container-catalog.ts';
import { removeContainer } from '../container/remove-container.ts';
import { sweepContainers } from '../container/sweep-containers.ts';
import { isOcitsError } from '../errors.ts';
import { openSession } from '../session.ts';

export default class Rm extends BaseCommand {
  static override summary = 'Remove containers';
  static override usage = '[OPTIONS] CONTAINER [CONTAINER...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = {
    force: toggle({ char: 'f', description: 'kill a container that runs' }),
    volumes: toggle({ char: 'v', description: 'also remove its anonymous volumes' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Rm);
    const session = openSession({ emit: openRenderer('quiet').emit, signal: this.signals.signal });
    await sweepContainers(session);
    await forEachTarget(args, async (name) => {
      try {
        await removeContainer(session, await findContainer(session.paths, name), flags);
      } catch (error) {
        // Docker's --force: what is not there needs no removal.
        if (!flags.force || !isOcitsError(error, 'not-found')) throw error;
        return undefined;
      }
      return name;
    });
  }
}
