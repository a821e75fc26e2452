import { list, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { confirm } from '../../cli/output/confirm.ts';
import { tellFailures } from '../../cli/output/each-target.ts';
import { humanSize } from '../../cli/output/human.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { parsePruneFilter } from '../../container/end/prune-filter.ts';
import { pruneContainers } from '../../container/end/remove-container.ts';

export default class ContainerPrune extends BaseCommand {
  static override summary = 'Remove all containers that do not run';
  static override usage = '[OPTIONS]';
  static override flags = {
    filter: list({ description: 'only those that pass, such as until=24h or label=name=value' }),
    force: toggle({ char: 'f', description: 'do not ask' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.read(ContainerPrune);
    const isWanted = parsePruneFilter(flags.filter ?? []);
    if (!flags.force && !(await confirm('This will remove all stopped containers.'))) return;
    const { engine } = this;
    await sweepContainers(engine, this.call());
    const { ids, failures, freedBytes } = await pruneContainers(engine, isWanted);
    if (ids.length > 0) this.print(`Deleted Containers:\n${ids.join('\n')}\n`);
    tellFailures(failures);
    this.print(`Total reclaimed space: ${humanSize(freedBytes)}`);
  }
}
