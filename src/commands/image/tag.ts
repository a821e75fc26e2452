import { BaseCommand } from '../../cli/base-command.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import { tagImage } from '../../image/catalog/tag-image.ts';
import { openSession } from '../../session.ts';

export default class Tag extends BaseCommand {
  static override summary = 'Give an image a further name';
  static override usage = 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]';
  static override arity = [2, 2] as const;
  static override flags = {};

  async run(): Promise<void> {
    const { args } = await this.read(Tag);
    const session = openSession({ emit: openRenderer('quiet').emit, signal: this.signals.signal });
    await tagImage(await session.store(), args[0]!, args[1]!);
  }
}
