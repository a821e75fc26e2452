import { list, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { confirm } from '../../cli/output/confirm.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { parseNetworkPruneFilters } from '../../network/store/filter-networks.ts';

export default class NetworkPrune extends BaseCommand {
  static override summary =
    'Remove the bridge from the host where no container is on it; the next one makes it anew';
  static override usage = '[OPTIONS]';
  static override flags = {
    filter: list({ description: 'only what passes, such as until=24h or label=name=value' }),
    force: toggle({ char: 'f', description: 'do not ask' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.read(NetworkPrune);
    const mayGo = parseNetworkPruneFilters(flags.filter ?? []);
    const question = 'This will remove the bridge, with its firewall rules, where no container is on it.';
    if (!flags.force && !(await confirm(question))) return;
    const { engine } = this;
    await sweepContainers(engine, this.call());
    const names = mayGo ? await (await engine.network()).prune() : [];
    if (names.length > 0) this.print(`Deleted Networks:\n${names.join('\n')}`);
  }
}
