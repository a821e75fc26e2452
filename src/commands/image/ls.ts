import { filterFlag, jsonFlag, noTruncFlag, quietFlag, text, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { formatListing } from '../../cli/template/template.ts';
import { parseImageFilters } from '../../image/catalog/filter-images.ts';
import { listImages } from '../../image/catalog/list-images.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { IMAGE_HEADERS, type ImageLine, imageLines, imageRow } from './image-row.ts';

const COLUMNS = ['Repository', 'Tag', 'Digest', 'ID', 'CreatedSince', 'Size'];

export default class Images extends BaseCommand {
  static override summary = 'List images';
  static override usage = '[OPTIONS] [REPOSITORY[:TAG]]';
  static override arity = [0, 1] as const;
  static override flags = {
    all: toggle({ char: 'a', description: 'all images; there are no hidden ones' }),
    digests: toggle({ description: 'with the digests that registries know' }),
    filter: filterFlag,
    format: text({ description: 'print with a Go-like template, "table TEMPLATE", or "json"' }),
    json: jsonFlag,
    'no-trunc': noTruncFlag,
    quiet: quietFlag,
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Images);
    const wanted = [...(flags.filter ?? []), ...args.map((pattern) => `reference=${pattern}`)];
    const { engine } = this;
    const call = this.call();
    const images = await listImages(engine, call, parseImageFilters(wanted));
    const format = flags.quiet ? '{{.ID}}' : flags.format;
    const withDigests = flags.digests || (format?.includes('.Digest') ?? false);
    const lines = images.flatMap((image) => imageLines(image, withDigests));
    if (flags.json) return this.printJson(lines.map(imageObject));
    const columns = flags.digests ? COLUMNS : COLUMNS.filter((name) => name !== 'Digest');
    const row = (line: ImageLine) => imageRow(line, { noTrunc: flags['no-trunc'] });
    const output = formatListing({ items: lines, headers: IMAGE_HEADERS, columns, row }, format);
    if (output !== '') this.print(output);
  }
}

/** A line for programs: nothing is shortened or rounded. */
function imageObject({ image, repository, tag, digest }: ImageLine): object {
  return {
    ID: image.id,
    Repository: repository,
    Tag: tag,
    Digest: digest,
    CreatedAt: image.created?.toISOString() ?? null,
    SizeBytes: image.sizeBytes,
    Platform: formatPlatform(image.platform),
    Labels: image.labels,
  };
}
