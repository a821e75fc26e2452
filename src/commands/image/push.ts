import { choice, contentTrustFlag, platformFlag, progressFlag, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import { OcitsError } from '../../errors.ts';
import { pushImages, tagsToPush } from '../../image/transfer/push-images.ts';
import { formatReference, parseReference, withDefaultTag } from '../../oci/reference.ts';
import { LAYER_COMPRESSIONS } from '../../options/layer-compression.ts';

export default class Push extends BaseCommand {
  static override summary = 'Upload an image to a registry';
  static override usage = '[OPTIONS] NAME[:TAG]';
  static override arity = [1, 1] as const;
  static override flags = {
    'all-tags': toggle({ char: 'a', description: 'push all tags of the repository' }),
    'compression-format': choice({
      description: 'how layers that were built here are compressed (default gzip)',
      options: LAYER_COMPRESSIONS,
    }),
    'disable-content-trust': contentTrustFlag,
    platform: platformFlag,
    progress: progressFlag,
    quiet: toggle({ char: 'q', description: 'show no progress, and print only the name' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Push);
    const { platform } = flags;
    const name = parseReference(args[0]!);
    if (flags['all-tags'] && name.tag !== undefined) {
      throw new OcitsError('usage', 'a tag cannot be given with --all-tags');
    }
    const renderer = openRenderer(flags.quiet ? 'quiet' : flags.progress);
    const call = this.call(renderer);
    try {
      const references = flags['all-tags'] ? await tagsToPush(await this.engine.store(), name) : [name];
      const compression = flags['compression-format'];
      const request = { references, platform, compression };
      for (const { reference, descriptor } of await pushImages(this.engine, call, request)) {
        const { digest, size } = descriptor;
        if (!flags.quiet) this.print(`${reference.tag}: digest: ${digest} size: ${size}`);
      }
      if (flags.quiet) this.print(formatReference(flags['all-tags'] ? name : withDefaultTag(name)));
    } finally {
      renderer.close();
    }
  }
}
