import { BaseCommand } from '../../cli/base-command.ts';
import { tagImage } from '../../image/catalog/tag-image.ts';

export default class Tag extends BaseCommand {
  static override summary = 'Give an image a further name';
  static override usage = 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]';
  static override arity = [2, 2] as const;
  static override flags = {};

  async run(): Promise<void> {
    const { args } = await this.read(Tag);
    const { engine } = this;
    await tagImage(await engine.store(), args[0]!, args[1]!);
  }
}
