import type { Call } from '../../call.ts';
import type { Engine } from '../../engine.ts';
import type { Digest } from '../../oci/digest.ts';
import { familiarName } from '../../oci/reference.ts';
import { warning } from '../../progress.ts';
import { type ImageFilters, matchesPruneFilters } from '../catalog/filter-images.ts';
import { readCatalog, type StoredImage } from '../catalog/image-catalog.ts';
import { collectGarbage } from './collect-garbage.ts';
import type { Removal } from './remove-image.ts';

export interface PruneOptions {
  /** All images that no container uses, not just those without a tag. */
  readonly isAll?: boolean | undefined;
  readonly filters?: ImageFilters | undefined;
}

export interface Pruned {
  readonly removals: readonly Removal[];
  readonly freedBytes: number;
}

/**
 * Removes the images that have no tag (or all that no container uses), and all content that nothing needs, downloads
 * that stopped included. Waits until no other command reads or adds content.
 */
export async function pruneImages(engine: Engine, call: Call, options: PruneOptions): Promise<Pruned> {
  const [store, roots] = await Promise.all([engine.store(), engine.contentRoots()]);
  const onWait = () => call.emit(warning('waiting for other ocits commands that use the store'));
  await using _lease = await store.leases.exclusive(call.signal, onWait);
  const used = new Set((await roots.users()).map(({ imageId }) => imageId));
  const removals: Removal[] = [];
  const doomed = (await readCatalog(store)).filter((stored) => isDoomed(stored, used, options));
  for (const { image, tags, digests, roots } of doomed) {
    for (const reference of [...tags, ...digests]) {
      await store.refs.delete(reference);
      removals.push({ kind: 'untagged', name: familiarName(reference) });
    }
    for (const root of roots) await store.refs.deleteAnonymous(root);
    removals.push({ kind: 'deleted', digest: image.id });
  }
  // Downloads that stopped go, too: a full disk is why most of them did.
  const { freedBytes } = await collectGarbage(store, await engine.snapshotter(), {
    roots: roots.roots,
    partialAgeMs: 0,
  });
  return { removals, freedBytes };
}

function isDoomed(stored: StoredImage, used: ReadonlySet<Digest>, options: PruneOptions): boolean {
  if (used.has(stored.image.id)) return false;
  if (options.isAll !== true && stored.tags.length > 0) return false;
  return options.filters === undefined || matchesPruneFilters(stored, options.filters);
}
