import { requireRoot } from '../../access.ts';
import type { Call } from '../../call.ts';
import { platformFlag, progressFlag, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import { pullImage } from '../../image/transfer/pull-image.ts';
import type { Platform } from '../../oci/platform.ts';
import { formatReference, parseReference, type Reference, withDefaultTag } from '../../oci/reference.ts';
import { warning } from '../../progress.ts';

export default class Pull extends BaseCommand {
  static override summary = 'Download images from a registry';
  static override usage = '[OPTIONS] NAME[:TAG|@DIGEST] [NAME...]';
  static override arity = [1, Number.POSITIVE_INFINITY] as const;
  static override flags = {
    'all-tags': toggle({ char: 'a', description: 'download all tags of the repository' }),
    platform: platformFlag,
    progress: progressFlag,
    quiet: toggle({ char: 'q', description: 'print only the digest' }),
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
        if (flags['all-tags']) await this.#pullAll(call, { name, platform, quiet: flags.quiet });
        else await this.#pull(call, { name, platform, quiet: flags.quiet });
      }
    } finally {
      renderer.close();
    }
  }

  async #pull(call: Call, request: Request): Promise<void> {
    const { name, platform, quiet } = request;
    const { root } = await pullImage(this.engine, call, { reference: name, platform, policy: 'always' });
    this.print(quiet ? root.digest : formatReference(withDefaultTag(name)));
  }

  async #pullAll(call: Call, request: Request): Promise<void> {
    const { tag, digest, ...repository } = request.name;
    if (tag !== undefined || digest !== undefined) {
      throw new OcitsError('usage', 'a tag or a digest cannot be given with --all-tags');
    }
    const client = (await this.engine.registry()).repository(repository);
    for (const each of await client.listTags(call)) {
      try {
        await this.#pull(call, {
          ...request,
          name: parseReference(`${formatReference(repository)}:${each}`),
        });
      } catch (error) {
        // A repository may well have tags for other platforms, and of other things than images.
        if (!isOcitsError(error, 'wrong-platform', 'unsupported')) throw error;
        call.emit(warning(`${each} is left out: ${error.message}`));
      }
    }
  }
}

interface Request {
  readonly name: Reference;
  readonly platform: Platform | undefined;
  readonly quiet: boolean;
}
