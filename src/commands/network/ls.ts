import { jsonFlag, noTruncFlag, quietFlag, text } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { formatListing } from '../../cli/template/template.ts';

const COLUMNS = [
  { name: 'ID', header: 'NETWORK ID' },
  { name: 'Name', header: 'NAME' },
  { name: 'Driver', header: 'DRIVER' },
  { name: 'Scope', header: 'SCOPE' },
];
/** All that there are yet. Their names are their IDs. */
const NETWORKS = [
  { Name: 'bridge', Driver: 'bridge' },
  { Name: 'host', Driver: 'host' },
  { Name: 'none', Driver: 'null' },
].map((network) => ({ ID: network.Name, ...network, Scope: 'local' }));

export default class NetworkLs extends BaseCommand {
  static override summary = 'List networks';
  static override usage = '[OPTIONS]';
  static override flags = {
    format: text({ description: 'print with a Go-like template, "table TEMPLATE", or "json"' }),
    json: jsonFlag,
    'no-trunc': noTruncFlag,
    quiet: quietFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.read(NetworkLs);
    if (flags.json) return this.printJson(NETWORKS);
    const format = flags.quiet ? '{{.ID}}' : flags.format;
    this.print(formatListing({ items: NETWORKS, columns: COLUMNS, row: (row) => row }, format));
  }
}
