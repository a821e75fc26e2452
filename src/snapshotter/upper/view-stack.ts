import type { Digest } from '../../oci/digest.ts';
import type { Mount } from '../../system/mount.ts';
import { overlayMount } from '../overlayfs/overlay-mount.ts';
import { hasItsRoot, loadStack } from '../records/layer-stack.ts';
import type { SnapshotterParts } from '../snapshotter-parts.ts';

/** Snapshotter.view: the mounts of a stack without an upper directory. */
export async function viewStack(
  { snapshots, metadata, form, userXattrs }: SnapshotterParts,
  parents: readonly Digest[],
): Promise<readonly Mount[]> {
  const stack = await loadStack(metadata, parents);
  const { names, mounts } = await form.lowers(stack.layers);
  const lowers = [...names];
  snapshots.make();
  // overlayfs takes the root folder's owner and mode from the topmost layer; without an upper one, it wants two layers.
  if (!hasItsRoot(stack)) lowers.unshift(snapshots.emptyFolder(0, stack.root));
  for (let number = 1; lowers.length < 2; number++) lowers.push(snapshots.emptyFolder(number, stack.root));
  return [...mounts, overlayMount({ folder: snapshots.folder, lowers, userXattrs })];
}
