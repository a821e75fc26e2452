import { OcitsError } from '../errors.ts';
import type { VolumeStore } from './volume.ts';

/** What `docker volume inspect` prints of a volume. Throws `not-found`. */
export async function inspectVolume(
  volumes: VolumeStore,
  name: string,
): Promise<Readonly<Record<string, unknown>>> {
  const volume = await volumes.find(name);
  if (volume === undefined) throw new OcitsError('not-found', `No such volume: ${name}`);
  const { path, createdAt, labels } = volume;
  return {
    // Docker gives whole seconds.
    CreatedAt: createdAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    Driver: 'local',
    Labels: Object.keys(labels).length === 0 ? null : labels,
    Mountpoint: path,
    Name: name,
    Options: null,
    Scope: 'local',
  };
}
