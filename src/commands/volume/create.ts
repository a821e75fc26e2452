import { list } from '../../cli/argv/flags.ts';
import { missingFlags } from '../../cli/argv/missing-flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import { readPairs } from '../../container/flags/parse-values.ts';
import { openSession } from '../../session.ts';
import { anonymousVolumeName } from '../../volume/volume-store.ts';

export default class VolumeCreate extends BaseCommand {
  static override summary = 'Make a volume';
  static override usage = '[OPTIONS] [VOLUME]';
  static override arity = [0, 1] as const;
  static override flags = {
    label: list({ description: 'set a label: name=value' }),
    ...missingFlags({
      texts: ['driver'],
      lists: ['opt'],
      short: { driver: 'd', opt: 'o' },
      harmless: { driver: ['local'] },
    }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(VolumeCreate);
    const session = openSession({ emit: openRenderer('quiet').emit, signal: this.signals.signal });
    const volumes = await session.volumes();
    const name = args[0] ?? anonymousVolumeName();
    const labels = readPairs(flags.label ?? [], '--label');
    const { volume } = await volumes.create(name, { anonymous: args.length === 0, labels });
    this.print(volume.name);
  }
}
