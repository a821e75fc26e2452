import { defaultPlatformFlag, list, text } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { OcitsError } from '../../errors.ts';
import { importImage } from '../../image/archive/import-image.ts';
import { parseTag } from '../../image/catalog/tag-image.ts';
import { hostPlatform } from '../../oci/platform.ts';
import { configFromChanges } from './config-from-changes.ts';

export default class Import extends BaseCommand {
  static override summary = 'Make an image of the tar of a root file system';
  static override usage = '[OPTIONS] FILE|- [REPOSITORY[:TAG]]';
  static override arity = [1, 2] as const;
  static override flags = {
    change: list({
      char: 'c',
      description: 'a Dockerfile instruction for the configuration, such as "CMD sh"',
    }),
    message: text({ char: 'm', description: 'a comment for the history' }),
    platform: defaultPlatformFlag,
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Import);
    const [file, name] = args as [string, string?];
    if (/^https?:\/\//.test(file)) {
      throw new OcitsError('unsupported', 'import does not fetch URLs', {
        hint: `curl -fL ${file} | ocits import - ${name ?? ''}`.trimEnd(),
      });
    }
    const config = configFromChanges(flags.change ?? []);
    const image = await importImage(this.engine, this.call(), {
      input: file === '-' ? { stream: process.stdin } : { path: file },
      platform: flags.platform ?? hostPlatform(),
      config,
      message: flags.message ?? `Imported from ${file}`,
      created: creationTime(),
      reference: name === undefined ? undefined : parseTag(name),
    });
    this.print(image.id);
  }
}

/** `SOURCE_DATE_EPOCH` where it is set, so that the same tar gives the same ID. */
function creationTime(): Date {
  const epoch = process.env['SOURCE_DATE_EPOCH'] ?? '';
  return /^\d+$/.test(epoch) ? new Date(Number(epoch) * 1000) : new Date();
}
