import { existsSync, mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { OcitsError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { removeTrees } from '../../system/file/remove-tree.ts';
import { overlayMount } from '../overlayfs/overlay-mount.ts';
import { openStack } from '../reading/open-stack.ts';
import { type LayerStack, loadStack } from '../records/layer-stack.ts';
import type { MetadataStore } from '../records/metadata-store.ts';
import { makeRootFolder, type SnapshotRoot } from '../records/snapshot-root.ts';
import type { ActiveSnapshot, MountTarget, PrepareOptions } from '../snapshotter.ts';
import { type ActiveState, activeFolders, readActiveState, writeActiveState } from './active-state.ts';
import { clearTargets, makeTargetLayer } from './mount-targets.ts';

export interface PrepareRequest extends PrepareOptions {
  readonly folder: string;
  readonly parents: readonly Digest[];
  readonly targets: readonly MountTarget[];
  readonly userXattrs: boolean;
}

/** Snapshotter.prepare: makes or finds the upper layer, renews the layer with the mount targets. */
export async function prepareActive(
  snapshots: SnapshotRoot,
  metadata: MetadataStore,
  request: PrepareRequest,
): Promise<ActiveSnapshot> {
  const { folder, parents, targets, userXattrs } = request;
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
    await remakeTargets(snapshots, stack, { ...request, folder: folders.targets });
    // Written last: who finds it finds all of the rest.
    writeActiveState(folder, { version: 1, parents, targets });
  }
  const lowers = [
    ...(targets.length === 0 ? [] : [relative(snapshots.folder, folders.targets)]),
    ...stack.layers.map((layer) => layer.link),
  ];
  if (lowers.length === 0) lowers.push(snapshots.emptyFolder(0, stack.root));
  const mount = overlayMount({
    folder: snapshots.folder,
    lowers,
    upper: { folder: folders.upper, work: folders.work },
    userXattrs,
    isVolatile: request.isVolatile ?? false,
  });
  return { mounts: [mount] };
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
  snapshots: SnapshotRoot,
  stack: LayerStack,
  request: PrepareRequest,
): Promise<void> {
  const { folder, targets, userXattrs } = request;
  await removeTrees([folder]);
  if (targets.length === 0) return;
  using image = openStack(snapshots, stack, { userXattrs });
  await makeTargetLayer(folder, stack.root, image, targets);
}
