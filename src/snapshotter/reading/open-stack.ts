import { opaqueXattr } from '../overlayfs/overlay-xattrs.ts';
import type { LayerStack } from '../records/layer-stack.ts';
import type { SnapshotRoot } from '../records/snapshot-root.ts';
import { type ReadableLayer, StackReader } from './stack-reader.ts';

export interface OpenOptions {
  readonly userXattrs: boolean;
  /** An upper layer over the stack, which may change while it is read. */
  readonly upper?: string | undefined;
}

/** Reads a stack's merged tree; undefined where there are no layers at all. */
export function openStack(
  snapshots: SnapshotRoot,
  stack: LayerStack,
  { userXattrs, upper }: OpenOptions,
): StackReader | undefined {
  const layers: ReadableLayer[] = stack.layers.map((layer) => ({
    tree: snapshots.tree(layer.key),
    opaques: new Set(layer.opaques),
  }));
  if (upper !== undefined) layers.unshift({ tree: upper });
  return layers.length === 0 ? undefined : new StackReader(layers, opaqueXattr(userXattrs));
}
