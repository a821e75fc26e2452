/**
 * The room of trees: a root filesystem as a stack of layers, which is what steps take and give. All rooms of the
 * builder hold trees; those that look inside ask `TreeContent`. A tree that is only named costs nothing: its layers
 * are fetched, indexed or unpacked when something asks for what is in them.
 *
 *     const tree: Tree = { layers: [...below.layers, builtLayer(diffId, sizeBytes)] };
 *     const key = treeChain(tree);
 *     const merged = await content.merged(tree, signal);
 */

import { chainIds } from '../../oci/chain-id.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { OCI_LAYER } from '../../oci/media-types.ts';

/** A layer of a tree, and the blob that it is in. */
export interface TreeLayer {
  readonly diffId: Digest;
  readonly descriptor: Descriptor;
}

/** A root filesystem as a stack of layers, lowest first. None for `FROM scratch`. */
export interface Tree {
  readonly layers: readonly TreeLayer[];
  /** RFC 3339: when its last step was done, or its base image was made; undefined where nobody knows. */
  readonly createdAt?: string | undefined;
  /** Fetches the layers of a base image that are not there yet. Doing it again is cheap. */
  readonly fetch?: ((depth: 'layers' | 'unpacked', signal: AbortSignal) => Promise<void>) | undefined;
}

export const EMPTY_TREE: Tree = { layers: [] };

/**
 * What a tree shows: its chainID, or a fixed digest for the empty tree. It stands for the tree in the key of a step on
 * it, so that a step done anew with the same result leaves the keys above it alone.
 */
export function treeChain({ layers }: Tree): Digest {
  return chainIds(layers.map(({ diffId }) => diffId)).at(-1) ?? digestOf('');
}

/** A layer that a build has made: uncompressed, so that its digest is its diffID. */
export function builtLayer(diffId: Digest, sizeBytes: number): TreeLayer {
  return { diffId, descriptor: { mediaType: OCI_LAYER, digest: diffId, size: sizeBytes } };
}
