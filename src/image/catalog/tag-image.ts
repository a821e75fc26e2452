import { OcitsError } from '../../errors.ts';
import { parseReference, type Reference, withDefaultTag } from '../../oci/reference.ts';
import type { Store } from '../../store/store.ts';
import { requireImage } from './find-image.ts';

/**
 * Gives the image `source` (a name or an ID) the further name `target`, and returns that name with its tag. A name
 * that pointed elsewhere moves. Throws `not-found`, `invalid-reference`.
 */
export async function tagImage(store: Store, source: string, target: string): Promise<Reference> {
  const reference = parseTag(target);
  await using _lease = await store.leases.shared();
  const { root } = await requireImage(store, source);
  await store.refs.put(reference, root);
  return reference;
}

/** A name that a tag can be set to. Throws `invalid-reference` where it has a digest. */
export function parseTag(text: string): Reference {
  const reference = parseReference(text);
  if (reference.digest !== undefined) {
    throw new OcitsError('invalid-reference', 'refusing to create a tag with a digest reference');
  }
  return withDefaultTag(reference);
}

/** All names with a tag that a repository has here. */
export async function tagsOfRepository(
  { refs }: Store,
  { domain, path }: Pick<Reference, 'domain' | 'path'>,
): Promise<readonly Reference[]> {
  const names = (await refs.list()).map(({ reference }) => reference);
  return names.filter((name) => name.domain === domain && name.path === path && name.tag !== undefined);
}
