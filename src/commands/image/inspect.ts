import { formatFlag, platformFlag } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { IMAGE } from '../../cli/shapes/image-shape.ts';
import { inspectTargets } from '../../cli/template/inspect-output.ts';
import { inspectImage } from '../../image/catalog/inspect-image.ts';

export default class ImageInspect extends BaseCommand {
  static override summary = 'Show all that is known of images';
  static override usage = '[OPTIONS] IMAGE [IMAGE...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = { format: formatFlag, platform: platformFlag };

  async run(): Promise<void> {
    const { flags, args } = await this.read(ImageInspect);
    const { platform } = flags;
    const { engine } = this;
    const call = this.call();
    await inspectTargets(args, flags.format, async (name) => {
      return { data: await inspectImage(engine, call, name, platform), shape: IMAGE };
    });
  }
}
