import type { Descriptor } from '../oci/descriptor.ts';
import type { Reference } from '../oci/reference.ts';

/** A name and what it points at: an index, of which only some platforms may be there, or a manifest. */
export interface Ref {
  readonly reference: Reference;
  readonly descriptor: Descriptor;
  readonly updatedAt: Date;
}

/** An image that is kept although no tag points at it any more. */
export interface NamelessRef {
  readonly descriptor: Descriptor;
  readonly updatedAt: Date;
}

/**
 * Names, which move. A tag that is given to another image leaves the old one behind without a name (Docker's
 * `<none>`): `put` keeps such an image by a nameless ref, which `anonymous` lists, until the image gets a name again.
 *
 * A reference needs a tag or a digest (`invalid-reference`); one with both is a name by digest. Whoever pulls or
 * pushes a tag also puts the name by digest: those are the image's RepoDigests. A file that is damaged is `corrupt`.
 */
export interface RefStore {
  resolve(reference: Reference): Promise<Descriptor | undefined>;
  /** Sets a name, durably, with the names of all blobs. Returns what it pointed at before, where that was something else. */
  put(reference: Reference, descriptor: Descriptor): Promise<Descriptor | undefined>;
  /** As `put`, for several names at the cost of one. */
  putAll(
    references: readonly Reference[],
    descriptor: Descriptor,
  ): Promise<readonly (Descriptor | undefined)[]>;
  /** Keeps an image that has no name. */
  putAnonymous(descriptor: Descriptor): Promise<void>;
  /** False where there was no such name. */
  delete(reference: Reference): Promise<boolean>;
  deleteAnonymous(descriptor: Descriptor): Promise<boolean>;
  list(): Promise<readonly Ref[]>;
  anonymous(): Promise<readonly NamelessRef[]>;
}
