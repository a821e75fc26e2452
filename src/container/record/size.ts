import { existsSync } from 'node:fs';
import type { Engine } from '../../engine.ts';
import { stackSize } from '../../image/catalog/layer-size.ts';
import { containerFolder } from './folder.ts';
import type { ContainerRecord } from './record.ts';
import { containerState } from './state.ts';

/** How many bytes the container has written over its image. */
export async function writtenBytes(engine: Engine, { id }: ContainerRecord): Promise<number> {
  const { writable } = containerFolder(engine.paths, id);
  // Nothing is there before the first start.
  if (containerState(engine.paths, id).status === 'created' || !existsSync(writable)) return 0;
  return (await (await engine.snapshotter()).usage(writable)).sizeBytes;
}

/** What the files of a container hold: those that it has written, and all that it sees. */
export interface ContainerSize {
  readonly writtenBytes: number;
  readonly totalBytes: number;
}

export async function containerSize(engine: Engine, record: ContainerRecord): Promise<ContainerSize> {
  const [written, image] = await Promise.all([
    writtenBytes(engine, record),
    stackSize(engine, record.image.diffIds),
  ]);
  return { writtenBytes: written, totalBytes: written + image };
}
