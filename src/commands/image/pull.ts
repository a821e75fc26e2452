import { platformFlag, progressFlag, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { openRenderer } from '../../cli/render/renderer.ts';
import type { Renderer } from '../../cli/render/screen.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import { pullImage } from '../../image/transfer/pull-image.ts';
import type { Platform } from '../../oci/platform.ts';
import { formatReference, parseReference, type Reference, withDefaultTag } from '../../oci/reference.ts';
import { warning } from '../../progress.ts';
import { openSession, type Session } from '../../session.ts';
import { requireLinuxRoot } from '../../system/process/require-host.ts';

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
    requireLinuxRoot('unpacking images');
    const renderer = openRenderer(flags.quiet ? 'quiet' : flags.progress);
    const session = openSession({ emit: renderer.emit, signal: this.signals.signal });
    try {
      for (const name of names) {
        if (flags['all-tags']) await this.#pullAll(session, renderer, { name, platform, quiet: flags.quiet });
        else await this.#pull(session, { name, platform, quiet: flags.quiet });
      }
    } finally {
      renderer.close();
    }
  }

  async #pull(session: Session, request: Request): Promise<void> {
    const { name, platform, quiet } = request;
    const [host, registry] = [await session.imageHost(), await session.registry()];
    const { signal } = session;
    const { root } = await pullImage(host, registry, { reference: name, platform, policy: 'always', signal });
    this.print(quiet ? root.digest : formatReference(withDefaultTag(name)));
  }

  async #pullAll(session: Session, renderer: Renderer, request: Request): Promise<void> {
    const { tag, digest, ...repository } = request.name;
    if (tag !== undefined || digest !== undefined) {
      throw new OcitsError('usage', 'a tag or a digest cannot be given with --all-tags');
    }
    const client = (await session.registry()).repository(repository);
    for (const each of await client.listTags(session.signal)) {
      try {
        await this.#pull(session, {
          ...request,
          name: parseReference(`${formatReference(repository)}:${each}`),
        });
      } catch (error) {
        // A repository may well have tags for other platforms, and of other things than images.
        if (!isOcitsError(error, 'wrong-platform', 'unsupported')) throw error;
        renderer.emit(warning(`${each} is left out: ${error.message}`));
      }
    }
  }
}

interface Request {
  readonly name: Reference;
  readonly platform: Platform | undefined;
  readonly quiet: boolean;
}
