import { type PruneBuilderOptions, pruneBuilder } from '../../builder/prune-builder.ts';
import { list, oclifFlags, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { confirm } from '../../cli/output/confirm.ts';
import { humanSize } from '../../cli/output/human.ts';
import { shortDigest } from '../../oci/digest.ts';
import { parseFilters, untilOfFilters } from '../../options/filters/filter.ts';

const BY_AGE = 'remove by age, with: --filter until=24h';

export default class BuilderPrune extends BaseCommand {
  static override summary = 'Forget results of build steps';
  static override usage = '[OPTIONS]';
  static override flags = {
    all: toggle({ char: 'a', description: 'also those whose layers are part of an image' }),
    filter: list({ description: 'only those that pass: until=24h' }),
    force: toggle({ char: 'f', description: 'do not ask' }),
    ...oclifFlags({
      'keep-storage': { form: 'one', missing: BY_AGE },
      'max-used-space': { form: 'one', missing: BY_AGE },
      'min-free-space': { form: 'one', missing: BY_AGE },
      'reserved-space': { form: 'one', missing: BY_AGE },
      verbose: { form: 'switch', missing: 'leave it out' },
      builder: { form: 'one', missing: 'leave it out: there is one builder', harmless: ['default', ''] },
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.read(BuilderPrune);
    const since = readFilters(flags.filter ?? []);
    const what = flags.all ? 'all build cache' : 'all build cache that no image has';
    if (!flags.force && !(await confirm(`This will remove ${what}.`))) return;
    const { engine } = this;
    const call = this.call();
    const options: PruneBuilderOptions = {
      isAll: flags.all,
      unusedSince: since,
    };
    const { records, freedBytes } = await pruneBuilder(engine, call, options);
    if (records.length > 0) {
      this.print('Deleted build cache objects:');
      for (const { key, label } of records) this.print(`${shortDigest(key)}  ${label}`);
      this.print('');
    }
    this.print(`Total reclaimed space: ${humanSize(freedBytes)}`);
  }
}

/** Docker's two words for one thing. */
function readFilters(texts: readonly string[]): Date | undefined {
  const filters = parseFilters(texts, ['until', 'unused-for']);
  const values = [...(filters.get('until') ?? []), ...(filters.get('unused-for') ?? [])];
  return untilOfFilters(values.length === 0 ? new Map() : new Map([['until', values]]));
}
