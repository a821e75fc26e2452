import { existsSync, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { OcitsError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { removeTrees } from '../../system/file/remove-tree.ts';
import { overlayMount } from '../overlayfs/overlay-mount.ts';
import { opaqueXattr } from '../overlayfs/overlay-xattrs.ts';
import { openStack, placesOf } from '../reading/open-stack.ts';
import { type LayerStack, loadStack } from '../records/layer-stack.ts';
import { makeRootFolder } from '../records/snapshot-root.ts';
import type { ActiveSnapshot, MountTarget, PrepareOptions } from '../snapshotter.ts';
import type { SnapshotterParts } from '../snapshotter-parts.ts';
import { type ActiveState, activeFolders, readActiveState, writeActiveState } from './active-state.ts';
import { clearTargets, makeTargetLayer } from './mount-targets.ts';

/** What `Snapshotter.prepare` is asked for. */
export interface PrepareRequest extends PrepareOptions {
  readonly folder: string;
  readonly parents: readonly Digest[];
  readonly targets: readonly MountTarget[];
}

/**
 * The room of upper directories: what a container or a step writes, whatever form the layers below have. An active
 * snapshot is made or found, mounted, measured, and its changes become a tar and a layer. Only the snapshotter's front
 * calls it.
 *
 *     const { mounts } = await prepareActive(parts, { folder, parents, targets });
 *     const { diffId } = await diffActive(parts, folder, { tarPath });
 *     const key = await commitActive(parts, folder, parentDiffIds, diffId);
 *
 * Snapshotter.prepare: makes or finds the upper layer, renews the layer with the mount targets.
 */
export async function prepareActive(
  parts: SnapshotterParts,
  request: PrepareRequest,
): Promise<ActiveSnapshot> {
  const { snapshots, metadata, form, userXattrs } = parts;
  const { folder, parents, targets } = request;
  const folders = activeFolders(folder);
  const stack = await loadStack(metadata, parents);
  snapshots.make();
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const state = checkState(request, readActiveState(folder));
  if (state === undefined) makeRootFolder(folders.upper, stack.root);
  await clearTargets(folders.upper, targets);
  await prepareWork(folders.work);
  if (JSON.stringify(state?.targets) !== JSON.stringify(targets)) {
    // What a failure leaves half-made must not pass for the old ones.
    if (state !== undefined) writeActiveState(folder, { version: 1, parents, targets: [] });
    await remakeTargets(parts, stack, folders.targets, targets);
    // Written last: who finds it finds all of the rest.
    writeActiveState(folder, { version: 1, parents, targets });
  }
  const { names, mounts } = await form.lowers(stack.layers);
  const lowers = targets.length === 0 ? [...names] : [relative(snapshots.folder, folders.targets), ...names];
  if (lowers.length === 0) lowers.push(snapshots.emptyFolder(0, stack.root));
  const mount = overlayMount({
    folder: snapshots.folder,
    lowers,
    upper: { folder: folders.upper, work: folders.work },
    userXattrs,
    isVolatile: request.isVolatile,
  });
  return { mounts: [...mounts, mount] };
}

function checkState(
  { folder, parents }: PrepareRequest,
  state: ActiveState | undefined,
): ActiveState | undefined {
  if (state === undefined || state.parents.join() === parents.join()) return state;
  throw new OcitsError('invalid-argument', `the active snapshot in ${folder} stands on other layers`);
}

/** overlayfs refuses the work folder of a mount that was volatile, since what a crash lost is unknown; here that is known. */
async function prepareWork(work: string): Promise<void> {
  if (existsSync(join(work, 'work/incompat'))) await removeTrees([work]);
  mkdirSync(work, { recursive: true, mode: 0o700 });
}

async function remakeTargets(
  { form, snapshots, userXattrs }: SnapshotterParts,
  stack: LayerStack,
  folder: string,
  targets: readonly MountTarget[],
): Promise<void> {
  await removeTrees([folder]);
  if (targets.length === 0) return;
  const places = placesOf(form, snapshots.storeRoot, stack);
  using image = await openStack(places, { opaqueXattr: opaqueXattr(userXattrs) });
  await makeTargetLayer(folder, stack.root, image, targets);
}
