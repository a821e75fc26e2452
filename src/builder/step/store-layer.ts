import type { WrittenLayer } from '../../layer/tar/layer-writer.ts';
import type { BuildJob } from '../job/build-job.ts';
import type { StepLayer } from '../solve/build-step.ts';

/**
 * Takes a layer that the layer writer has finished at `tarPath` into the store: the blob by a rename, and its index.
 * Its snapshot is made when something needs it.
 */
export async function storeLayer(
  { store, content }: Pick<BuildJob, 'store' | 'content'>,
  tarPath: string,
  { diffId, sizeBytes, index }: WrittenLayer,
): Promise<StepLayer> {
  await store.blobs.adopt(tarPath, diffId);
  await (await content()).indexes.put(diffId, index);
  return { diffId, sizeBytes };
}
