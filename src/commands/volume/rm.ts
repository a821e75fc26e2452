import { toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { forEachTarget } from '../../cli/output/each-target.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { removeVolume } from '../../container/record/volume-users.ts';
import { isOcitsError } from '../../errors.ts';

export default class VolumeRm extends BaseCommand {
  static override summary = 'Remove volumes';
  static override usage = '[OPTIONS] VOLUME [VOLUME...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = {
    force: toggle({ char: 'f', description: 'a volume that is not there is no error' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(VolumeRm);
    const { engine } = this;
    await sweepContainers(engine, this.call());
    await forEachTarget(args, async (name) => {
      await removeVolume(engine, name).catch((error: unknown) => {
        if (!flags.force || !isOcitsError(error, 'not-found')) throw error;
      });
      return name;
    });
  }
}
