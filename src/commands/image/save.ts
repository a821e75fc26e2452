import { choice, platformFlag, text } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { OcitsError } from '../../errors.ts';
import { SAVE_FORMATS, saveImages } from '../../image/archive/save-images.ts';
import { LAYER_COMPRESSIONS } from '../../options/layer-compression.ts';

export default class Save extends BaseCommand {
  static override summary = 'Write images into an archive, or the folder of an OCI layout';
  static override usage = '[OPTIONS] IMAGE [IMAGE...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = {
    compression: choice({
      description: 'how layers are compressed in the OCI formats; the default is gzip',
      options: LAYER_COMPRESSIONS,
    }),
    format: choice({ description: 'the default is docker-archive', options: SAVE_FORMATS }),
    output: text({
      char: 'o',
      names: ['files'],
      description: 'write to a file (a folder for oci-dir), not to standard output',
    }),
    platform: platformFlag,
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Save);
    if (flags.output === undefined && process.stdout.isTTY) {
      throw new OcitsError(
        'invalid-argument',
        'cowardly refusing to save to a terminal. Use the -o flag or redirect',
      );
    }
    await saveImages(this.engine, this.call(), args, {
      format: flags.format ?? 'docker-archive',
      output: flags.output ?? process.stdout,
      compression: flags.compression,
      platform: flags.platform,
    });
  }
}
