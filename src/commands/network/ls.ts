/**
 * The room of the commands of networks: `network ls`, `inspect` and `prune`. Only the table of commands loads them.
 * They show the networks of this host, whatever the store, and `prune` takes the bridge away where no container is on
 * it.
 *
 *     $ ocits network ls --format '{{.Name}} {{.Driver}}'
 *     const networks = await openNetworkStore().list();
 */

import { filterFlag, jsonFlag, noTruncFlag, quietFlag, text } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { formatListing } from '../../cli/template/template.ts';
import { parseNetworkFilters } from '../../network/store/filter-networks.ts';
import { openNetworkStore } from '../../network/store/network-store.ts';

const HEADERS = {
  ID: 'NETWORK ID',
  Name: 'NAME',
  Driver: 'DRIVER',
  Scope: 'SCOPE',
  IPv4: 'IPV4',
  IPv6: 'IPV6',
  Internal: 'INTERNAL',
  Labels: 'LABELS',
  CreatedAt: 'CREATED AT',
};
const COLUMNS = ['ID', 'Name', 'Driver', 'Scope'];

export default class NetworkLs extends BaseCommand {
  static override summary = 'List networks';
  static override usage = '[OPTIONS]';
  static override flags = {
    filter: filterFlag,
    format: text({ description: 'print with a Go-like template, "table TEMPLATE", or "json"' }),
    json: jsonFlag,
    'no-trunc': noTruncFlag,
    quiet: quietFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.read(NetworkLs);
    const passes = parseNetworkFilters(flags.filter ?? []);
    const found = (await openNetworkStore().list()).filter(passes);
    const networks = found.map(({ id, name, driver }) => ({
      ID: id,
      Name: name,
      Driver: driver,
      Scope: 'local',
      IPv4: 'true',
      IPv6: 'false',
      Internal: 'false',
      Labels: '',
      Label: () => '',
      // They were never made: they are there always.
      CreatedAt: '0001-01-01 00:00:00 +0000 UTC',
    }));
    if (flags.json) return this.printJson(networks);
    const format = flags.quiet ? '{{.ID}}' : flags.format;
    const listing = {
      items: networks,
      headers: HEADERS,
      columns: COLUMNS,
      row: (row: (typeof networks)[number]) => row,
    };
    const output = formatListing(listing, format);
    if (output !== '') this.print(output);
  }
}
