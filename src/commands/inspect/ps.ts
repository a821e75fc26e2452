import { filterFlag, jsonFlag, noTruncFlag, quietFlag, text, toggle, value } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { formatListing } from '../../cli/template/template.ts';
import { sweepContainers } from '../../container/clear/sweep-containers.ts';
import { containerSize } from '../../container/record/size.ts';
import { parseContainerFilters } from '../../container/show/container-filters.ts';
import { listContainers } from '../../container/show/list-containers.ts';
import { integer } from '../../options/kinds.ts';
import { CONTAINER_HEADERS, containerRow } from './container-row.ts';

const COLUMNS = ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'];

export default class Ps extends BaseCommand {
  static override summary = 'List containers';
  static override usage = '[OPTIONS]';
  static override flags = {
    all: toggle({ char: 'a', description: 'also containers that do not run' }),
    filter: filterFlag,
    format: text({ description: 'print with a Go-like template, "table TEMPLATE", or "json"' }),
    json: jsonFlag,
    last: value(integer, { char: 'n', description: 'the last containers made, whatever they do' }),
    latest: toggle({ char: 'l', description: 'the last container made' }),
    'no-trunc': noTruncFlag,
    quiet: quietFlag,
    size: toggle({ char: 's', description: 'with what each container has written' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.read(Ps);
    const { engine } = this;
    await sweepContainers(engine, this.call());
    const last = flags.latest ? 1 : (flags.last ?? -1);
    const containers = await listContainers(engine, {
      all: flags.all,
      last: last > 0 ? last : undefined,
      filters: parseContainerFilters(flags.filter ?? []),
    });
    const noTrunc = flags['no-trunc'];
    const { format } = flags;
    // As in Docker, a template that names the size asks for it.
    const isSized = flags.size || (!flags.quiet && /\.Size\b|\bjson \./.test(format ?? ''));
    const rows = await Promise.all(
      containers.map(async (each) => {
        const size = isSized ? await containerSize(engine, each.record) : undefined;
        return containerRow(each, { noTrunc, size });
      }),
    );
    if (flags.json) return this.printJson(rows);
    const columns = flags.size ? [...COLUMNS, 'Size'] : COLUMNS;
    const row = (each: (typeof rows)[number]) => each;
    const listing = { items: rows, headers: CONTAINER_HEADERS, columns, row };
    const output = formatListing(listing, flags.quiet ? '{{.ID}}' : format);
    if (output !== '') this.print(output);
  }
}
