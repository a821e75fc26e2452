import { formatFlag, jsonFlag } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { fillTemplate } from '../../cli/template/template.ts';
import { programVersion } from '../../version.ts';

export default class Version extends BaseCommand {
  static override summary = 'Show the version of ocits and of Node';
  static override usage = '[OPTIONS]';
  static override flags = { format: formatFlag, json: jsonFlag };

  async run(): Promise<void> {
    const { flags } = await this.read(Version);
    const version = {
      Version: programVersion(),
      NodeVersion: process.versions.node,
      Os: process.platform,
      Arch: process.arch,
    };
    if (flags.json || flags.format === 'json') this.printJson(version);
    else if (flags.format !== undefined)
      this.print(fillTemplate(flags.format, { Client: version, ...version }));
    else
      this.print(
        Object.entries(version)
          .map(([name, value]) => `${`${name}:`.padEnd(14)}${value}`)
          .join('\n'),
      );
  }
}
