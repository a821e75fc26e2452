import { platformFlag, progressFlag, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import { copyBetween } from '../../image/archive/copy-between.ts';
import { parsePlace } from '../../image/archive/image-place.ts';

export default class Copy extends BaseCommand {
  static override summary = 'Copy images between registries, OCI layouts and archives, unpacking nothing';
  static override usage = '[OPTIONS] SRC DST';
  static override arity = [2, 2] as const;
  static override flags = {
    platform: platformFlag,
    progress: progressFlag,
    quiet: toggle({ char: 'q', description: 'print only the digest' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Copy);
    const request = { from: parsePlace(args[0]!), to: parsePlace(args[1]!), platform: flags.platform };
    const renderer = openRenderer(flags.quiet ? 'quiet' : flags.progress);
    try {
      const copied = await copyBetween(this.engine, this.call(renderer), request);
      for (const { digest } of copied) this.print(digest);
    } finally {
      renderer.close();
    }
  }
}
