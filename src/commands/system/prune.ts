import { BaseCommand } from '../../cli/base-command.ts';
import { confirm } from '../../cli/confirm.ts';
import { list, toggle } from '../../cli/flags.ts';
import { humanSize } from '../../cli/human.ts';
import { openRenderer } from '../../cli/renderer.ts';
import { openSession, type Session } from '../../session.ts';

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
      description: 'all images that no container uses, not just those without a tag',
    }),
    filter: list({ description: 'only what passes, such as until=24h or label=name=value' }),
    force: toggle({ char: 'f', description: 'do not ask' }),
    volumes: toggle({ description: 'also anonymous volumes' }),
  };

  async run(): Promise<void> {
    const { flags } = await this.read(SystemPrune);
    const request = { filters: flags.filter ?? [], isAll: flags.all, withVolumes: flags.volumes };
    if (!flags.force && !(await confirm(question(request)))) return;
    const session = openSession({ emit: openRenderer('quiet').emit, signal: this.signals.signal });
    const freed = (await this.#containers(session, request)) + (await this.#volumes(session, request));
    this.#report('Deleted Networks', await (await session.network()).prune());
    const freedImages = await this.#images(session, request);
    this.print(`Total reclaimed space: ${humanSize(freed + freedImages)}`);
  }

  async #containers(session: Session, { filters }: PruneRequest): Promise<number> {
    const { parsePruneFilter } = await import('../../container/prune-filter.ts');
    const { pruneContainers } = await import('../../container/remove-container.ts');
    const { sweepContainers } = await import('../../container/sweep-containers.ts');
    await sweepContainers(session);
    const wanted = filters.map((text) => parsePruneFilter(text));
    const { ids, freedBytes } = await pruneContainers(session, (record) =>
      wanted.every((matches) => matches(record)),
    );
    this.#report('Deleted Containers', ids);
    return freedBytes;
  }

  async #volumes(session: Session, { filters, withVolumes }: PruneRequest): Promise<number> {
    if (!withVolumes) return 0;
    const { parseVolumeFilter, pruneVolumes } = await import('../../container/container-volumes.ts');
    const labels = filters.filter((text) => text.startsWith('label')).map(parseVolumeFilter);
    const { names, freedBytes } = await pruneVolumes(session, { all: false, filters: labels });
    this.#report('Deleted Volumes', names);
    return freedBytes;
  }

  /** The records of the build cache go first, so that the collection after the images takes their layers, too. */
  async #images(session: Session, { filters, isAll }: PruneRequest): Promise<number> {
    const { parseImageFilters } = await import('../../image/filter-images.ts');
    const { pruneImages } = await import('../../image/prune-images.ts');
    const { openBuildCache } = await import('../../build/build-cache.ts');
    const { pruneBuildCache } = await import('../../build/prune-cache.ts');
    const imageFilters = parseImageFilters(filters);
    const forgotten = await pruneBuildCache(openBuildCache(session.paths.root), imageFilters.until);
    const holders = await session.imageHolders();
    const options = { isAll, filters: imageFilters, holders, signal: session.signal };
    const { removals, freedBytes } = await pruneImages(await session.imageHost(), options);
    this.#report(
      'Deleted Images',
      removals.map((removal) =>
        removal.kind === 'untagged' ? `untagged: ${removal.name}` : `deleted: ${removal.digest}`,
      ),
    );
    this.#report(
      'Deleted build cache records',
      forgotten.map(({ key }) => key),
    );
    return freedBytes;
  }

  #report(title: string, lines: readonly string[]): void {
    if (lines.length > 0) this.print(`${title}:\n${lines.join('\n')}\n`);
  }
}

function question({ isAll, withVolumes, filters }: PruneRequest): string {
  const parts = [
    'all stopped containers',
    ...(withVolumes ? ['all anonymous volumes that no container uses'] : []),
  ];
  parts.push('the bridge where no container is on it');
  parts.push(isAll ? 'all images that no container uses' : 'all images without a tag', 'the build cache');
  const only = filters.length === 0 ? '' : `\nOnly what passes: ${filters.join(', ')}`;
  return `This will remove:\n${parts.map((part) => `  - ${part}`).join('\n')}${only}\n`;
}
