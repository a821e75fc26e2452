import { filterFlag, jsonFlag, quietFlag, type ReadFlags, text, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { formatListing } from '../../cli/template/template.ts';
import { OcitsError } from '../../errors.ts';
import { parseImageFilters } from '../../image/catalog/filter-images.ts';
import { imageTrees } from '../../image/catalog/image-trees.ts';
import { type ImageSummary, listImages } from '../../image/catalog/list-images.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { IMAGE_HEADERS, type ImageLine, imageLines, imageRow } from './image-row.ts';
import { imageTreeTable } from './image-tree-table.ts';

const COLUMNS = ['Repository', 'Tag', 'Digest', 'ID', 'CreatedSince', 'Size'];

export default class Images extends BaseCommand {
  static override summary =
    'List images: by name, or as a table of repositories and tags with --format table';
  static override usage = '[OPTIONS] [REPOSITORY[:TAG]]';
  static override arity = [0, 1] as const;
  static override flags = {
    all: toggle({ char: 'a', description: 'also images that have no name' }),
    digests: toggle({
      description: 'the table of repositories and tags, with the digests that registries know',
    }),
    filter: filterFlag,
    format: text({ description: 'print with a Go-like template, "table", "table TEMPLATE", or "json"' }),
    json: jsonFlag,
    'no-trunc': toggle({ description: 'the table of repositories and tags, with nothing shortened' }),
    quiet: quietFlag,
    tree: toggle({ description: 'with the platforms of each image' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(Images);
    const wanted = [...(flags.filter ?? []), ...args.map((pattern) => `reference=${pattern}`)];
    const filters = parseImageFilters(wanted);
    // As in Docker, what has no name at all is listed where it is asked for.
    const isShown = ({ tags, digests }: Pick<ImageSummary, 'tags' | 'digests'>) =>
      flags.all || filters.isDangling !== undefined || tags.length + digests.length > 0;
    if (isTree(flags)) {
      const trees = (await imageTrees(this.engine, this.call(), filters)).filter(isShown);
      const hasLegend = process.stdout.isTTY && trees.some(({ isUsed }) => isUsed);
      return this.print(imageTreeTable(trees, { isExpanded: flags.tree, hasLegend }));
    }
    const images = (await listImages(this.engine, this.call(), filters)).filter(isShown);
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

type ViewFlags = ReadFlags<typeof Images.flags>;

/** Docker 29's view, unless something asks for the older table. Throws `usage` where both are asked for. */
function isTree(flags: ViewFlags): boolean {
  const older = [
    flags.quiet && '--quiet',
    flags['no-trunc'] && '--no-trunc',
    flags.digests && '--digests',
    flags.json && '--json',
    flags.format !== undefined && flags.format !== '' && '--format',
  ].find((flag) => flag !== false);
  if (flags.tree && older !== undefined) {
    throw new OcitsError('usage', `${older} does not go with --tree`, {
      hint: `leave out ${older} or --tree`,
    });
  }
  return older === undefined;
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
