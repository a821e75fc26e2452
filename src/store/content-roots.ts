import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';

/** Content that something besides names needs: a container, a record of the build cache. */
export interface LiveContent {
  /** Manifests or indexes, with all that they refer to. */
  readonly manifests?: readonly Descriptor[] | undefined;
  /** Stacks of layers by diffID, lowest first: their blobs, indexes and snapshots. */
  readonly stacks?: readonly (readonly Digest[])[] | undefined;
  readonly blobs?: readonly Digest[] | undefined;
}

/** Lists what one kind of holder needs. An error stops the collection: what cannot be read is not garbage. */
export type RootSource = () => Promise<readonly LiveContent[]>;

/** A container, as far as the image under it is concerned. */
export interface ImageUser {
  readonly containerId: string;
  readonly imageId: Digest;
  readonly isRunning: boolean;
}

/**
 * What keeps images and their content besides names. Containers and the build cache tell it, since the functions of
 * images know nothing of them.
 */
export interface ContentRoots {
  readonly roots: readonly RootSource[];
  users(): Promise<readonly ImageUser[]>;
}
