import { jsonFlag, noTruncFlag, platformFlag, quietFlag, text, toggleOn } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { humanAge, humanSize } from '../../cli/output/human.ts';
import { rfc3339Text } from '../../cli/output/local-time.ts';
import { formatListing } from '../../cli/template/template.ts';
import { type HistoryItem, imageHistory } from '../../image/catalog/image-history.ts';
import { shortDigest } from '../../oci/digest.ts';

const CREATED_BY_WIDTH = 45;

export default class History extends BaseCommand {
  static override summary = 'Show how an image was made';
  static override usage = '[OPTIONS] IMAGE';
  static override arity = [1, 1] as const;
  static override flags = {
    format: text({ description: 'print with a Go-like template, "table TEMPLATE", or "json"' }),
    human: toggleOn({ char: 'H', description: 'sizes and times for people; --human=false for exact ones' }),
    json: jsonFlag,
    'no-trunc': noTruncFlag,
    platform: platformFlag,
    quiet: quietFlag,
  };

  async run(): Promise<void> {
    const { flags, args } = await this.read(History);
    const { engine } = this;
    const items = await imageHistory(engine, this.call(), args[0]!, flags.platform);
    if (flags.json) return this.printJson(items.map(historyObject));
    const format = flags.quiet ? '{{.ID}}' : flags.format;
    const row = (item: HistoryItem) => historyRow(item, { noTrunc: flags['no-trunc'], isHuman: flags.human });
    const listing = { items, headers: HEADERS, columns: columns(flags.human), row };
    const output = formatListing(listing, format);
    if (output !== '') this.print(output);
  }
}

const HEADERS = {
  ID: 'IMAGE',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedBy: 'CREATED BY',
  Size: 'SIZE',
  Comment: 'COMMENT',
};

function columns(isHuman: boolean): readonly string[] {
  return ['ID', isHuman ? 'CreatedSince' : 'CreatedAt', 'CreatedBy', 'Size', 'Comment'];
}

/** Docker says in words only how old a step is that was made in this millennium. */
const EPOCH_MS = Date.UTC(2000, 0, 1);

function historyRow(
  { id, created, createdBy, comment, sizeBytes }: HistoryItem,
  { noTrunc, isHuman }: { readonly noTrunc: boolean; readonly isHuman: boolean },
): Readonly<Record<string, unknown>> {
  const by = createdBy.replaceAll('\t', ' ');
  const createdAt = created === undefined ? 'N/A' : rfc3339Text(created);
  const isRecent = created !== undefined && created.getTime() > EPOCH_MS;
  return {
    ID: id === undefined ? '<missing>' : noTrunc ? id : shortDigest(id),
    CreatedSince: isHuman ? (isRecent ? humanAge(created) : '') : createdAt,
    CreatedAt: createdAt,
    CreatedBy: noTrunc ? by : shorten(by),
    Size: isHuman ? humanSize(sizeBytes) : String(sizeBytes),
    Comment: comment,
  };
}

/** An entry for programs: nothing is shortened or rounded. */
function historyObject({ id, created, createdBy, comment, sizeBytes, tags }: HistoryItem): object {
  return {
    ID: id ?? '<missing>',
    CreatedAt: created?.toISOString() ?? null,
    CreatedBy: createdBy,
    SizeBytes: sizeBytes,
    Comment: comment,
    Tags: tags,
  };
}

function shorten(text: string): string {
  const characters = [...text];
  if (characters.length <= CREATED_BY_WIDTH) return text;
  return `${characters.slice(0, CREATED_BY_WIDTH - 1).join('')}…`;
}
