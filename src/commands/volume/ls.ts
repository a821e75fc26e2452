import { filterFlag, jsonFlag, quietFlag, text } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { formatListing } from '../../cli/template/template.ts';
import { parseVolumeFilter, volumesInUse } from '../../container/record/volume-users.ts';

const COLUMNS = [
  { name: 'Driver', header: 'DRIVER' },
  { name: 'Name', header: 'VOLUME NAME' },
];

export default class VolumeLs extends BaseCommand {
  static override summary = 'List volumes';
  static override usage = '[OPTIONS]';
  static override flags = {
    filter: filterFlag,
    format: text({ description: 'print with a Go-like template, "table TEMPLATE", or "json"' }),
    json: jsonFlag,
    quiet: quietFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.read(VolumeLs);
    const { engine } = this;
    const filters = (flags.filter ?? []).map(parseVolumeFilter);
    const [all, used] = [await (await engine.volumes()).list(), await volumesInUse(engine.paths)];
    const items = all.filter((volume) => filters.every((matches) => matches(volume, used.has(volume.name))));
    const row = ({ name, path, labels }: (typeof items)[number]) => ({
      Driver: 'local',
      Labels: Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
      Label: (key: string) => labels[key] ?? '',
      Mountpoint: path,
      Name: name,
      Scope: 'local',
    });
    if (flags.json) return this.printJson(items.map(row));
    const output = formatListing({ items, columns: COLUMNS, row }, flags.quiet ? '{{.Name}}' : flags.format);
    if (output !== '') this.print(output);
  }
}
