/**
 * The room of the commands of images: what brings them in and out (`pull`, `push`, `save`, `load`, `import`, `copy`),
 * and what lists, shows, names and removes them. Only the table of commands loads them. They read names and flags,
 * call functions of `image`, and print what those give.
 *
 *     $ ocits pull --platform linux/arm64 node:24
 *     const { root } = await pullImage(engine, call, { reference, platform, policy: 'always' });
 */

import { requireRoot } from '../../access.ts';
import type { Call } from '../../call.ts';
import { contentTrustFlag, defaultPlatformFlag, progressFlag, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import { pullImage } from '../../image/transfer/pull-image.ts';
import {
  exactName,
  formatReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from '../../oci/reference.ts';
import { warning } from '../../progress.ts';

export default class Pull extends BaseCommand {
  static override summary = 'Download images from a registry';
  static override usage = '[OPTIONS] NAME[:TAG|@DIGEST] [NAME...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = {
    'all-tags': toggle({ char: 'a', description: 'download all tags of the repository' }),
    'disable-content-trust': contentTrustFlag,
    platform: defaultPlatformFlag,
    progress: progressFlag,
    quiet: toggle({ char: 'q', description: 'show no progress' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Pull);
    const { platform } = flags;
    const names = args.map(parseReference);
    requireRoot(this.engine.access, 'unpacking images');
    const renderer = openRenderer(flags.quiet ? 'quiet' : flags.progress);
    const call = this.call(renderer);
    try {
      for (const name of names) {
        const wanted = flags['all-tags'] ? await this.#allTags(name, call) : [name];
        for (const reference of wanted) {
          try {
            await pullImage(this.engine, call, {
              reference: exactName(reference),
              platform,
              policy: 'always',
            });
          } catch (error) {
            // A repository may well have tags for other platforms, and of other things than images.
            if (!flags['all-tags'] || !isOcitsError(error, 'wrong-platform', 'unsupported')) throw error;
            call.emit(warning(`${reference.tag} is left out: ${error.message}`));
          }
        }
        this.print(formatReference(flags['all-tags'] ? name : withDefaultTag(name)));
      }
    } finally {
      renderer.close();
    }
  }

  async #allTags({ tag, digest, ...repository }: Reference, call: Call): Promise<readonly Reference[]> {
    if (tag !== undefined || digest !== undefined) {
      throw new OcitsError('usage', 'a tag or a digest cannot be given with --all-tags');
    }
    const tags = await (await this.engine.registry()).repository(repository).listTags(call);
    return tags.map((each) => parseReference(`${formatReference(repository)}:${each}`));
  }
}
