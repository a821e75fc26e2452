import type { Call } from '../../call.ts';
import { list, toggle } from '../../cli/argv/flags.ts';
import { BaseCommand } from '../../cli/base-command.ts';
import { confirm } from '../../cli/output/confirm.ts';
import { tellFailures } from '../../cli/output/each-target.ts';
import { humanSize } from '../../cli/output/human.ts';
import { OcitsError } from '../../errors.ts';
import { parseNetworkPruneFilters } from '../../network/store/filter-networks.ts';
import { parseFilters, untilOfFilters } from '../../options/filters/filter.ts';

const KEYS = ['label', 'label!', 'until'] as const;

interface PruneRequest {
  readonly filters: readonly string[];
  readonly isAll: boolean;
  readonly withVolumes: boolean;
}

export default class SystemPrune extends BaseCommand {
  static override summary = 'Remove what nothing uses: containers, images, volumes, the build cache';
  static override usage = '[OPTIONS]';
  static override flags = {
    all: toggle({
      char: 'a',
      description:
        'all images that no container uses, not just those without a tag, and all of the build cache',
    }),
    filter: list({ description: 'only what passes, such as until=24h or label=name=value' }),
    force: toggle({ char: 'f', description: 'do not ask' }),
    volumes: toggle({ description: 'also anonymous volumes' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.read(SystemPrune);
    const request = { filters: flags.filter ?? [], isAll: flags.all, withVolumes: flags.volumes };
    checkFilters(request);
    if (!flags.force && !(await confirm(question(request)))) return;
    const call = this.call();
    const freed = (await this.#containers(request)) + (await this.#volumes(request));
    if (parseNetworkPruneFilters(request.filters))
      this.#report('Deleted Networks', await (await this.engine.network()).prune());
    const freedContent = (await this.#images(call, request)) + (await this.#buildCache(call, request));
    this.print(`Total reclaimed space: ${humanSize(freed + freedContent)}`);
  }

  async #containers({ filters }: PruneRequest): Promise<number> {
    const { parsePruneFilter } = await import('../../container/end/prune-filter.ts');
    const { pruneContainers } = await import('../../container/end/remove-container.ts');
    const { sweepContainers } = await import('../../container/clear/sweep-containers.ts');
    await sweepContainers(this.engine, this.call());
    const { ids, failures, freedBytes } = await pruneContainers(this.engine, parsePruneFilter(filters));
    this.#report('Deleted Containers', ids);
    tellFailures(failures);
    return freedBytes;
  }

  async #volumes({ filters, withVolumes }: PruneRequest): Promise<number> {
    if (!withVolumes) return 0;
    const { parseVolumePruneFilters, pruneVolumes } = await import('../../container/record/volume-users.ts');
    const { filter } = parseVolumePruneFilters(filters);
    const { names, freedBytes } = await pruneVolumes(this.engine, { all: false, filter });
    this.#report('Deleted Volumes', names);
    return freedBytes;
  }

  async #images(call: Call, { filters, isAll }: PruneRequest): Promise<number> {
    const { parsePruneFilters } = await import('../../image/catalog/filter-images.ts');
    const { pruneImages } = await import('../../image/garbage/prune-images.ts');
    const options = parsePruneFilters(filters, isAll);
    const { removals, freedBytes } = await pruneImages(this.engine, call, options);
    this.#report(
      'Deleted Images',
      removals.map((removal) =>
        removal.kind === 'untagged' ? `untagged: ${removal.name}` : `deleted: ${removal.digest}`,
      ),
    );
    return freedBytes;
  }

  /** This comes after the images, since an image keeps the results that it is made of. Results have no labels. */
  async #buildCache(call: Call, { filters, isAll }: PruneRequest): Promise<number> {
    const given = parseFilters(filters, KEYS);
    if (given.has('label') || given.has('label!')) return 0;
    const { pruneBuilder } = await import('../../builder/prune-builder.ts');
    const { records, freedBytes } = await pruneBuilder(this.engine, call, {
      isAll,
      unusedSince: untilOfFilters(given),
    });
    this.#report(
      'Deleted build cache records',
      records.map(({ key }) => key),
    );
    return freedBytes;
  }

  #report(title: string, lines: readonly string[]): void {
    if (lines.length > 0) this.print(`${title}:\n${lines.join('\n')}\n`);
  }
}

/** Throws `invalid-argument`, before anything is removed. */
function checkFilters({ filters, withVolumes }: PruneRequest): void {
  const given = parseFilters(filters, KEYS);
  untilOfFilters(given);
  if (withVolumes && given.has('until')) {
    throw new OcitsError('invalid-argument', 'the filter until does not go with --volumes', {
      hint: 'volumes do not say when they were last used: prune them by themselves',
    });
  }
}

function question({ isAll, withVolumes, filters }: PruneRequest): string {
  const parts = [
    'all stopped containers',
    ...(withVolumes ? ['all anonymous volumes that no container uses'] : []),
    'the bridge where no container is on it',
    isAll ? 'all images that no container uses' : 'all images without a tag',
    isAll ? 'the build cache' : 'the build cache that no image has',
  ];
  const only = filters.length === 0 ? '' : `\nOnly what passes: ${filters.join(', ')}`;
  return `This will remove:\n${parts.map((part) => `  - ${part}`).join('\n')}${only}\n`;
}
