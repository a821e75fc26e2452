/**
 * The room of the commands of volumes. Only the table of commands loads them. `create` and `inspect` ask the volume
 * store alone; `ls`, `rm` and `prune` also ask `container`, which knows whether a volume is used.
 *
 *     $ ocits volume create --label app=web data
 *     const volumes = await engine.volumes();
 *     const { volume } = await volumes.create('data', { labels: { app: 'web' } });
 */

import { oclifFlags, values } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { pair } from '../../options/kinds.ts';
import { anonymousVolumeName } from '../../volume/volume-store.ts';

const LOCAL = 'leave it out: a volume is a folder of this host';

export default class VolumeCreate extends BaseCommand {
  static override summary = 'Make a volume';
  static override usage = '[OPTIONS] [VOLUME]';
  static override arity = [0, 1] as const;
  static override flags = {
    label: values(pair, { description: 'set a label: name=value' }),
    ...oclifFlags({
      driver: { form: 'one', char: 'd', missing: LOCAL, harmless: ['local'] },
      opt: { form: 'many', char: 'o', missing: LOCAL },
    }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(VolumeCreate);
    const { engine } = this;
    const volumes = await engine.volumes();
    const name = args[0] ?? anonymousVolumeName();
    const labels = Object.fromEntries(flags.label ?? []);
    const { volume } = await volumes.create(name, { anonymous: args.length === 0, labels });
    this.print(volume.name);
  }
}
