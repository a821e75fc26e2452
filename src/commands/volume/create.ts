/**
 * The room of the commands of volumes. Only the table of commands loads them. `create` and `inspect` ask the volume
 * store alone; `ls`, `rm` and `prune` also ask `container`, which knows whether a volume is used.
 *
 *     $ ocits volume create --label app=web data
 *     const volumes = await engine.volumes();
 *     const { volume } = await volumes.create('data', { labels: { app: 'web' } });
 */

import { oclifFlags, text, values } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { OcitsError } from '../../errors.ts';
import { pair } from '../../options/kinds.ts';
import { anonymousVolumeName } from '../../volume/volume-store.ts';

const CLUSTER = 'leave it out: it is for volumes of a swarm';
const LOCAL = 'leave it out: a volume is a folder of this host';

export default class VolumeCreate extends BaseCommand {
  static override summary = 'Make a volume';
  static override usage = '[OPTIONS] [VOLUME]';
  static override arity = [0, 1] as const;
  static override flags = {
    name: text({ description: 'name of the volume', hidden: true }),
    label: values(pair, { description: 'set a label: name=value' }),
    ...oclifFlags({
      driver: { form: 'one', char: 'd', missing: LOCAL, harmless: ['local'] },
      opt: { form: 'many', char: 'o', missing: LOCAL },
      availability: { form: 'one', missing: CLUSTER },
      group: { form: 'one', missing: CLUSTER },
      'limit-bytes': { form: 'one', missing: CLUSTER },
      'required-bytes': { form: 'one', missing: CLUSTER },
      scope: { form: 'one', missing: CLUSTER },
      secret: { form: 'many', missing: CLUSTER },
      sharing: { form: 'one', missing: CLUSTER },
      'topology-preferred': { form: 'many', missing: CLUSTER },
      'topology-required': { form: 'many', missing: CLUSTER },
      type: { form: 'one', missing: CLUSTER },
    }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(VolumeCreate);
    const { engine } = this;
    const volumes = await engine.volumes();
    if (flags.name && args.length > 0) {
      const names =
        'conflicting options: cannot specify a volume-name through both --name and as a positional arg';
      throw new OcitsError('usage', names);
    }
    const given = args[0] || flags.name;
    const name = given || anonymousVolumeName();
    const labels = Object.fromEntries(flags.label ?? []);
    const { volume } = await volumes.create(name, { anonymous: !given, labels });
    this.print(volume.name);
  }
}
