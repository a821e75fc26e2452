import { list, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { confirm } from '../../cli/output/confirm.ts';
import { humanSize } from '../../cli/output/human.ts';
import { parsePruneFilters } from '../../image/catalog/filter-images.ts';
import { pruneImages } from '../../image/garbage/prune-images.ts';

export default class ImagePrune extends BaseCommand {
  static override summary = 'Remove images that have no tag, and content that nothing needs';
  static override usage = '[OPTIONS]';
  static override flags = {
    all: toggle({
      char: 'a',
      description: 'all images that no container uses, not just those without a tag',
    }),
    filter: list({ description: 'only those that pass, such as until=24h or label=name=value' }),
    force: toggle({ char: 'f', description: 'do not ask' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.read(ImagePrune);
    const { isAll, filters } = parsePruneFilters(flags.filter ?? [], flags.all);
    const question = isAll
      ? 'This will remove all images without at least one container associated to them.'
      : 'This will remove all dangling images.';
    if (!flags.force && !(await confirm(question))) return;
    const { engine } = this;
    const call = this.call();
    const { removals, freedBytes } = await pruneImages(engine, call, { isAll, filters });
    if (removals.length > 0) this.print('Deleted Images:');
    for (const removal of removals) {
      this.print(removal.kind === 'untagged' ? `untagged: ${removal.name}` : `deleted: ${removal.digest}`);
    }
    if (removals.length > 0) this.print('');
    this.print(`Total reclaimed space: ${humanSize(freedBytes)}`);
  }
}
