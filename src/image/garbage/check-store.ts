import type { Digest } from '../../oci/digest.ts';
import type { Store } from '../../store/store.ts';
import { verifyBlob } from '../../store/verify-blob.ts';
import { readCatalog } from '../catalog/image-catalog.ts';
import { layerSource } from '../catalog/layer-source.ts';

/** What is wrong in a store. */
export interface StoreFault {
  readonly kind: 'damaged-blob' | 'missing-layer' | 'unreadable-image';
  readonly text: string;
  /** For a damaged blob. */
  readonly digest?: Digest | undefined;
}

export interface CheckOptions {
  /** Deletes damaged blobs, so that a pull, load or build makes them again. */
  readonly isRepairing?: boolean | undefined;
  readonly onBlob?: ((checkedBytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads every blob and holds it against its digest, then looks whether images have their manifests, configs and
 * layers. An image may well lack layers that nobody needed yet; they are told, and are no damage. With `isRepairing`
 * it waits until no other command uses the store.
 */
export async function* checkStore(store: Store, options: CheckOptions = {}): AsyncGenerator<StoreFault> {
  const { leases, blobs } = store;
  const { signal } = options;
  await using _lease = await (options.isRepairing === true
    ? leases.exclusive(signal)
    : leases.shared(signal));
  let checkedBytes = 0;
  for await (const { digest, sizeBytes } of blobs.list()) {
    const state = await verifyBlob(blobs, digest, signal === undefined ? {} : { signal });
    checkedBytes += sizeBytes;
    options.onBlob?.(checkedBytes);
    if (state !== 'damaged') continue;
    if (options.isRepairing === true) await blobs.delete(digest);
    yield { kind: 'damaged-blob', text: `blob ${digest} does not match its digest`, digest };
  }
  yield* checkImages(store);
}

async function* checkImages(store: Store): AsyncGenerator<StoreFault> {
  const broken: string[] = [];
  const catalog = await readCatalog(store, (error) => broken.push(error.message));
  for (const text of broken) yield { kind: 'unreadable-image', text };
  for (const { image } of catalog) {
    for (const [position, layer] of image.manifest.layers.entries()) {
      const diffId = image.config.rootfs.diff_ids[position]!;
      const isThere = await layerSource(store, layer, diffId).then(
        () => true,
        () => false,
      );
      if (!isThere) yield { kind: 'missing-layer', text: `image ${image.id} lacks layer ${layer.digest}` };
    }
  }
}
