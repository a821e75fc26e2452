import type { Digest } from '../../oci/digest.ts';
import type { RootSource } from './mark-live.ts';

/** A container, as far as the image under it is concerned. */
export interface ImageUser {
  readonly containerId: string;
  readonly imageId: Digest;
  readonly isRunning: boolean;
}

/**
 * What besides names keeps images and their content: told by containers and the build cache, of which the functions
 * of images know nothing.
 */
export interface ImageHolders {
  readonly roots: readonly RootSource[];
  users(): Promise<readonly ImageUser[]>;
}
