import { oclifFlags, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { forEachTarget } from '../../cli/output/each-target.ts';
import { printError } from '../../cli/output/error-output.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { removeContainer } from '../../container/end/remove-container.ts';
import { findContainer } from '../../container/record/catalog.ts';
import { isOcitsError } from '../../errors.ts';

export default class Rm extends BaseCommand {
  static override summary = 'Remove containers';
  static override usage = '[OPTIONS] CONTAINER [CONTAINER...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = {
    force: toggle({ char: 'f', description: 'kill a container that runs' }),
    ...oclifFlags({ link: { form: 'switch', char: 'l', missing: 'leave it out: containers have no links' } }),
    volumes: toggle({ char: 'v', description: 'also remove its anonymous volumes' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Rm);
    const { engine } = this;
    await sweepContainers(engine, this.call());
    await forEachTarget(args, async (name) => {
      try {
        await removeContainer(engine, await findContainer(engine.paths, name), flags);
      } catch (error) {
        // Docker's --force: what is not there needs no removal, and is told all the same.
        if (!flags.force || !isOcitsError(error, 'not-found')) throw error;
        printError(error);
        return undefined;
      }
      return name;
    });
  }
}
