import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import { isOcitsError, OcitsError } from '../../errors.ts';
import type { LayerSource } from '../../layer/layer-change.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Store } from '../../store/store.ts';
import { findLayerSource } from '../catalog/layer-source.ts';
import type { ImageSource } from './image-source.ts';
import { layerProgress } from './layer-progress.ts';
import { storeSink, storeSource } from './store-source.ts';

/**
 * Layers of images that are here, from the repositories that they are known to be in, the last one first, else from
 * that of `reference`. A repository that has it no more, or does not let us in, is left for the next one. Throws
 * `not-found`, with `hint`, for a layer whose repository is not known.
 */
export function originSource(
  engine: Engine,
  store: Store,
  {
    reference,
    hint = 'pull the image again',
  }: { readonly reference?: Reference | undefined; readonly hint?: string | undefined } = {},
): ImageSource {
  return {
    ...storeSource(store),
    fetchBlob: async (descriptor, offset, call) => {
      const origins = await store.origins.get(descriptor.digest);
      const repositories = origins.length > 0 || reference === undefined ? origins : [reference];
      const failures: unknown[] = [];
      for (const repository of repositories) {
        try {
          return await (await engine.registry()).repository(repository).fetchBlob(descriptor, offset, call);
        } catch (error) {
          if (!isOcitsError(error, 'not-found', 'unauthorized', 'denied')) throw error;
          failures.push(error);
        }
      }
      throw failures[0] ?? unknownOrigin(descriptor, hint);
    },
  };
}

/** The store, which fetches the layers of images that are here and were left where they came from. */
export function completeStore(engine: Engine, store: Store): ImageSource {
  const own = storeSource(store);
  return {
    ...own,
    fetchBlob: async (descriptor, offset, call) => {
      const isThere = (await store.blobs.stat(descriptor.digest)) !== undefined;
      if (!isThere) await fetchLayer(engine, store, descriptor, call);
      return await own.fetchBlob(descriptor, offset, call);
    },
  };
}

/** Where a layer's bytes are in the store. */
export type FindLayer = (layer: Descriptor, diffId: Digest, call: Call) => Promise<LayerSource>;

/** Finds layers in any form that the store has, and fetches those that were left where they came from. */
export function layerFinder(engine: Engine, store: Store): FindLayer {
  return async (layer, diffId, call) => {
    const known = await findLayerSource(store, layer, diffId);
    if (known !== undefined) return known;
    await fetchLayer(engine, store, layer, call);
    return (await findLayerSource(store, layer, diffId))!;
  };
}

async function fetchLayer(engine: Engine, store: Store, layer: Descriptor, call: Call): Promise<void> {
  const source = originSource(engine, store, { hint: 'pull the image that it is from again' });
  const progress = layerProgress(layer, call.emit);
  const onBytes = (bytes: number) => progress.bytes('downloading', bytes);
  await storeSink(store).putBlob({ descriptor: layer, source, onBytes }, call);
  progress.state('downloaded', { bytes: layer.size });
}

function unknownOrigin({ digest }: Descriptor, hint: string): OcitsError {
  const text = `layer ${digest} is not in the store, and where it came from is not known`;
  return new OcitsError('not-found', text, { hint });
}
