import { filterFlag, jsonFlag, oclifFlags, quietFlag, text } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { labelsText } from '../../cli/output/human.ts';
import { formatListing } from '../../cli/template/template.ts';
import { parseVolumeFilters, volumesInUse } from '../../container/record/volume-users.ts';

const HEADERS = {
  Name: 'VOLUME NAME',
  Group: 'GROUP',
  Driver: 'DRIVER',
  Scope: 'SCOPE',
  Availability: 'AVAILABILITY',
  Mountpoint: 'MOUNTPOINT',
  Labels: 'LABELS',
  Links: 'LINKS',
  Size: 'SIZE',
  Status: 'STATUS',
};
const COLUMNS = ['Driver', 'Name'];
/** Docker's word for what only a cluster's volumes have, or what nobody has counted. */
const UNKNOWN = 'N/A';

export default class VolumeLs extends BaseCommand {
  static override summary = 'List volumes';
  static override usage = '[OPTIONS]';
  static override flags = {
    filter: filterFlag,
    format: text({ description: 'print with a Go-like template, "table TEMPLATE", or "json"' }),
    json: jsonFlag,
    quiet: quietFlag,
    ...oclifFlags({ cluster: { form: 'switch', missing: 'leave it out: it is for volumes of a swarm' } }),
  };

  async run(): Promise<void> {
    const { flags } = await this.read(VolumeLs);
    const { engine } = this;
    const passes = parseVolumeFilters(flags.filter ?? []);
    const [all, used] = [await (await engine.volumes()).list(), await volumesInUse(engine.paths)];
    const items = all.filter((volume) => passes(volume, used.has(volume.name)));
    const row = ({ name, path, labels }: (typeof items)[number]) => ({
      Availability: UNKNOWN,
      Driver: 'local',
      Group: UNKNOWN,
      Labels: labelsText(labels),
      Label: (key: string) => labels[key] ?? '',
      Mountpoint: path,
      Links: UNKNOWN,
      Name: name,
      Scope: 'local',
      Size: UNKNOWN,
      Status: UNKNOWN,
    });
    if (flags.json) return this.printJson(items.map(row));
    const listing = { items, headers: HEADERS, columns: COLUMNS, row };
    const output = formatListing(listing, flags.quiet ? '{{.Name}}' : flags.format);
    if (output !== '') this.print(output);
  }
}
