import { oclifFlags, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { printError } from '../../cli/output/error-output.ts';
import { isOcitsError } from '../../errors.ts';
import { type Removal, removeImage } from '../../image/garbage/remove-image.ts';

export default class Rmi extends BaseCommand {
  static override summary = 'Remove images';
  static override usage = '[OPTIONS] IMAGE [IMAGE...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = {
    force: toggle({
      char: 'f',
      description: 'also where several names or a stopped container hold the image',
    }),
    ...oclifFlags({
      platform: { form: 'many', missing: 'leave it out: the image is removed for all platforms' },
    }),
    'no-prune': toggle({ description: 'has no effect: layers that nothing needs go', hidden: true }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Rmi);
    const { engine } = this;
    const call = this.call();
    for (const name of args) {
      try {
        const removals = await removeImage(engine, call, name, { isForced: flags.force });
        for (const removal of removals) this.print(removalLine(removal));
      } catch (error) {
        if (isOcitsError(error, 'aborted')) throw error;
        printError(error);
        if (!flags.force || !isOcitsError(error, 'not-found')) process.exitCode = 1;
      }
    }
  }
}

function removalLine(removal: Removal): string {
  return removal.kind === 'untagged' ? `Untagged: ${removal.name}` : `Deleted: ${removal.digest}`;
}
