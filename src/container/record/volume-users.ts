import { join } from 'node:path';
import type { Engine } from '../../engine.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import { booleanOfFilter, parseFilters } from '../../options/filters/filter.ts';
import { matchesLabel, matchesLabelFilters } from '../../options/filters/match-label.ts';
import { matchesPattern } from '../../options/filters/match-pattern.ts';
import type { HostPaths } from '../../system/paths.ts';
import { runTool } from '../../system/process/spawn.ts';
import { lockFile } from '../../system/task/lock.ts';
import type { Volume } from '../../volume/volume.ts';
import { readContainers } from './catalog.ts';

/**
 * Who makes a container holds it, shared, from the time when its volumes are there to the time when its record names
 * them; who removes volumes that nobody uses holds it alone.
 */
export function volumesLock({ run }: HostPaths): string {
  return join(run, 'locks', 'volumes');
}

/** The names of volumes that containers have, running or not, with those containers' names. */
export async function volumesInUse(paths: HostPaths): Promise<ReadonlyMap<string, readonly string[]>> {
  const users = new Map<string, string[]>();
  for (const { name, mounts } of await readContainers(paths)) {
    for (const mount of mounts) {
      if (mount.kind !== 'volume') continue;
      users.set(mount.name, [...(users.get(mount.name) ?? []), name]);
    }
  }
  return users;
}

/** Removes a volume. Throws `not-found`, and `in-use` with the containers that have it. */
export async function removeVolume(engine: Engine, name: string): Promise<void> {
  const volumes = await engine.volumes();
  await using _lock = await lockFile(volumesLock(engine.paths), { mode: 'exclusive' });
  const users = (await volumesInUse(engine.paths)).get(name);
  if (users !== undefined) {
    throw new OcitsError('in-use', `volume ${name} is in use by ${users.join(', ')}`, {
      hint: `remove first what uses it: ocits rm ${users.join(' ')}`,
    });
  }
  await volumes.remove(name);
}

/** Whether a volume passes; `isUsed`: whether a container has it. */
export type VolumeFilter = (volume: Volume, isUsed: boolean) => boolean;

/** Reads the values of `volume ls --filter`. Throws `invalid-argument`. */
export function parseVolumeFilters(texts: readonly string[]): VolumeFilter {
  const filters = parseFilters(texts, ['dangling', 'driver', 'label', 'name']);
  const isDangling = booleanOfFilter(filters, 'dangling');
  const drivers = filters.get('driver');
  const wanted = filters.get('label') ?? [];
  return ({ name, labels }, isUsed) =>
    matchesPattern(filters.get('name'), name) &&
    (drivers === undefined || drivers.includes('local')) &&
    (isDangling === undefined || isDangling !== isUsed) &&
    wanted.every((label) => matchesLabel(labels, label));
}

/**
 * Reads the values of `volume prune --filter`: `label=…`, `label!=…`, and `all`, which is another word for `--all`.
 * Throws `invalid-argument`.
 */
export function parseVolumePruneFilters(texts: readonly string[]): {
  readonly isAll: boolean;
  readonly filter: VolumeFilter;
} {
  const filters = parseFilters(texts, ['all', 'label', 'label!']);
  return {
    isAll: booleanOfFilter(filters, 'all') ?? false,
    filter: ({ labels }) => matchesLabelFilters(labels, filters),
  };
}

export interface PrunedVolumes {
  readonly names: readonly string[];
  readonly freedBytes: number;
}

/** Removes volumes that no container has: anonymous ones, or `all`. */
export async function pruneVolumes(
  engine: Engine,
  options: { readonly all: boolean; readonly filter?: VolumeFilter | undefined },
): Promise<PrunedVolumes> {
  const volumes = await engine.volumes();
  await using _lock = await lockFile(volumesLock(engine.paths), { mode: 'exclusive' });
  const used = await volumesInUse(engine.paths);
  const names: string[] = [];
  let freedBytes = 0;
  for (const volume of await volumes.list()) {
    if (used.has(volume.name) || !(options.all || volume.anonymous)) continue;
    if (options.filter?.(volume, false) === false) continue;
    freedBytes += await folderBytes(volume.path);
    await volumes.remove(volume.name).catch((error: unknown) => {
      if (!isOcitsError(error, 'not-found')) throw error;
    });
    names.push(volume.name);
  }
  return { names, freedBytes };
}

/** What the files below a folder hold; a file with several names counts once. */
export async function folderBytes(path: string): Promise<number> {
  const { stdout } = await runTool('find', [path, '!', '-type', 'd', '-printf', '%n %D:%i %s\\n']);
  const seen = new Set<string>();
  let sum = 0;
  for (const line of stdout.toString().split('\n')) {
    const [names, file = '', size = '0'] = line.split(' ');
    if (names !== '1' && seen.has(file)) continue;
    if (names !== '1') seen.add(file);
    sum += Number(size);
  }
  return sum;
}
