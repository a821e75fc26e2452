import { BaseCommand } from '../../cli/base-command.ts';
import { list, text } from '../../cli/flags.ts';
import { openRenderer } from '../../cli/renderer.ts';
import { parsePairs } from '../../container/parse-values.ts';
import { OcitsError } from '../../errors.ts';
import { openSession } from '../../session.ts';
import { anonymousVolumeName } from '../../volume/volume-store.ts';

export default class VolumeCreate extends BaseCommand {
  static override summary = 'Make a volume';
  static override usage = '[OPTIONS] [VOLUME]';
  static override arity = [0, 1] as const;
  static override flags = {
    label: list({ description: 'set a label: name=value' }),
    driver: text({ char: 'd', description: 'only local', hidden: true }),
    opt: list({ char: 'o', description: 'not there yet', hidden: true }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(VolumeCreate);
    if (flags.driver !== undefined && flags.driver !== 'local') {
      throw new OcitsError('unsupported', `--driver ${flags.driver} is not there yet: only local is`);
    }
    if (flags.opt !== undefined)
      throw new OcitsError('unsupported', `--opt ${flags.opt.join(' ')} is not there yet`);
    const session = openSession({ emit: openRenderer('quiet').emit, signal: this.signals.signal });
    const volumes = await session.volumes();
    const name = args[0] ?? anonymousVolumeName();
    const labels = parsePairs(flags.label ?? [], '--label');
    const { volume } = await volumes.create(name, { anonymous: args.length === 0, labels });
    this.print(volume.name);
  }
}
