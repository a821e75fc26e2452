import { list, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { confirm } from '../../cli/output/confirm.ts';
import { humanSize } from '../../cli/output/human.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { parseVolumePruneFilters, pruneVolumes } from '../../container/record/volume-users.ts';

export default class VolumePrune extends BaseCommand {
  static override summary = 'Remove volumes that no container uses';
  static override usage = '[OPTIONS]';
  static override flags = {
    all: toggle({ char: 'a', description: 'also those with a name, not just anonymous ones' }),
    filter: list({ description: 'only those that pass, such as label=name=value' }),
    force: toggle({ char: 'f', description: 'do not ask' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.read(VolumePrune);
    const { isAll, filter } = parseVolumePruneFilters(flags.filter ?? []);
    const all = flags.all || isAll;
    const which = all ? 'all volumes' : 'anonymous volumes';
    if (!flags.force && !(await confirm(`This will remove ${which} that no container uses.`))) return;
    const { engine } = this;
    await sweepContainers(engine, this.call());
    const { names, freedBytes } = await pruneVolumes(engine, { all, filter });
    if (names.length > 0) this.print(`Deleted Volumes:\n${names.join('\n')}\n`);
    this.print(`Total reclaimed space: ${humanSize(freedBytes)}`);
  }
}
