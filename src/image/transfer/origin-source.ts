import type { Engine } from '../../engine.ts';
import { OcitsError } from '../../errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Store } from '../../store/store.ts';
import type { ImageSource } from './image-source.ts';
import { storeSink, storeSource } from './store-source.ts';

/**
 * Layers of images that are here, from the repositories that they are known to be in, else from that of `reference`.
 * Throws `not-found`, with `hint`, for a layer whose repository is not known.
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
      const [origin] = await store.origins.get(descriptor.digest);
      const repository = origin ?? reference;
      if (repository === undefined) throw unknownOrigin(descriptor, hint);
      return await (await engine.registry()).repository(repository).fetchBlob(descriptor, offset, call);
    },
  };
}

/** The store, which fetches the layers of images that are here and were left where they came from. */
export function completeStore(engine: Engine, store: Store): ImageSource {
  const own = storeSource(store);
  const sink = storeSink(store);
  const elsewhere = originSource(engine, store, { hint: 'pull the image that it is from again' });
  return {
    ...own,
    fetchBlob: async (descriptor, offset, call) => {
      if ((await store.blobs.stat(descriptor.digest)) === undefined) {
        await sink.putBlob({ descriptor, source: elsewhere }, call);
      }
      return await own.fetchBlob(descriptor, offset, call);
    },
  };
}

function unknownOrigin({ digest }: Descriptor, hint: string): OcitsError {
  const text = `layer ${digest} is not in the store, and where it came from is not known`;
  return new OcitsError('not-found', text, { hint });
}
