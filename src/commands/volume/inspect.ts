import { formatFlag } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { VOLUME } from '../../cli/shapes/volume-shape.ts';
import { inspectTargets } from '../../cli/template/inspect-output.ts';
import { inspectVolume } from '../../volume/inspect-volume.ts';

export default class VolumeInspect extends BaseCommand {
  static override summary = 'Show all that is known of volumes';
  static override usage = '[OPTIONS] VOLUME [VOLUME...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = { format: formatFlag };

  async run(): Promise<void> {
    const { flags, args } = await this.read(VolumeInspect);
    const { engine } = this;
    const volumes = await engine.volumes();
    await inspectTargets(args, flags.format, async (name) => {
      return { data: await inspectVolume(volumes, name), shape: VOLUME };
    });
  }
}
