import { existsSync } from 'node:fs';
import type { ContainerHost } from '../container-host.ts';
import { containerFolder } from './folder.ts';
import type { ContainerRecord } from './record.ts';
import { containerState } from './state.ts';

/** How many bytes the container has written over its image. */
export async function writtenBytes(host: ContainerHost, { id }: ContainerRecord): Promise<number> {
  const { writable } = containerFolder(host.paths, id);
  // Nothing is there before the first start.
  if (containerState(host.paths, id).status === 'created' || !existsSync(writable)) return 0;
  return (await (await host.snapshotter()).usage(writable)).sizeBytes;
}
