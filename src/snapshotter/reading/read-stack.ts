import type { BytePath } from '../../layer/layer-change.ts';
import type { Digest } from '../../oci/digest.ts';
import { opaqueXattr } from '../overlayfs/overlay-xattrs.ts';
import { loadStack } from '../records/layer-stack.ts';
import type { SnapshotterParts } from '../snapshotter-parts.ts';
import { openStack, placesOf } from './open-stack.ts';
import { readPlaceFile } from './read-place.ts';
import type { StackReader } from './stack-reader.ts';

/** What is to be read: a stack, and an upper directory over it. */
export interface StackToRead {
  readonly parents: readonly Digest[];
  readonly upper?: string | undefined;
}

/** Snapshotter.readFile. */
export async function readStackFile(
  parts: SnapshotterParts,
  stack: StackToRead,
  path: BytePath,
  limitBytes: number,
): Promise<Buffer | undefined> {
  using reader = await openReader(parts, stack);
  return reader && (await readPlaceFile(reader, path, limitBytes));
}

/** Snapshotter.look. */
export async function lookAtStack(parts: SnapshotterParts, stack: StackToRead, paths: readonly BytePath[]) {
  using reader = await openReader(parts, stack);
  const found: { mode: number | undefined; way: BytePath[] }[] = [];
  for (const path of paths) {
    const way: BytePath[] = [];
    const place = await reader?.resolve(path, (each) => way.push(each));
    found.push({ mode: place?.stat.mode, way });
  }
  return found;
}

async function openReader(
  { form, metadata, snapshots, userXattrs }: SnapshotterParts,
  { parents, upper }: StackToRead,
): Promise<StackReader | undefined> {
  const stack = await loadStack(metadata, parents);
  return await openStack(placesOf(form, snapshots.storeRoot, stack), {
    upper,
    opaqueXattr: opaqueXattr(userXattrs),
    openContent: (layer, path) => form.openFile(stack.layers.at(-1 - layer)!, path),
  });
}
