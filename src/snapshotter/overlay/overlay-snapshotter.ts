import type { FileHandle } from 'node:fs/promises';
import type { BytePath } from '../../layer/layer-change.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Mount } from '../../system/mount.ts';
import type { HostPaths } from '../../system/paths.ts';
import type { ApplyRequest, SnapshotInfo, Snapshotter } from '../snapshotter.ts';
import { activeFolders } from './active-state.ts';
import { applyLayer } from './apply-layer.ts';
import { cleanUp } from './clean-up.ts';
import { type CommitHost, commitActive, diffActive } from './commit-upper.ts';
import type { LayerRecord } from './layer-record.ts';
import { LayerShelf } from './layer-shelf.ts';
import { hasItsRoot, loadStack } from './layer-stack.ts';
import { openStack } from './open-stack.ts';
import { OverlayArea } from './overlay-area.ts';
import { overlayMount } from './overlay-mount.ts';
import { prepareActive } from './prepare-active.ts';
import { openLayerFile, readPlaceFile } from './read-place.ts';
import { measureUpper } from './upper-walk.ts';
import { WorkerPool } from './worker-pool.ts';

export interface OverlayOptions {
  /** Marks go into `user.` attributes, as overlayfs needs it in a user namespace; the default is `trusted.`. */
  readonly userXattrs?: boolean;
}

/** Layers as folders, stacked by the kernel's overlayfs. Costs nothing until it is used. */
export function createOverlaySnapshotter(paths: HostPaths, options: OverlayOptions = {}): Snapshotter {
  const area = new OverlayArea(paths);
  const userXattrs = options.userXattrs ?? false;
  const host: CommitHost = { area, shelf: new LayerShelf(area), pool: new WorkerPool(), userXattrs };
  const { shelf } = host;
  return {
    name: 'overlay',
    stat: async (diffIds) => toInfo(await shelf.findIn(diffIds)),
    apply: async (request: ApplyRequest) => await applyLayer(host, request),
    prepare: async (folder, parents, targets = [], { isVolatile = false } = {}) =>
      await prepareActive(area, shelf, { folder, parents, targets, isVolatile, userXattrs }),
    view: async (parents) => [await viewMount(host, parents)],
    readFile: async ({ parents, folder }, path, limitBytes) => {
      const stack = await loadStack(shelf, parents);
      const upper = folder === undefined ? {} : { upper: activeFolders(folder).upper };
      using reader = openStack(area, stack, { userXattrs, ...upper });
      return reader === undefined ? undefined : await readPlaceFile(reader, path, limitBytes);
    },
    openFile: async (key: Digest, path: BytePath): Promise<FileHandle> => {
      await shelf.get(key);
      return await openLayerFile(area.tree(key), path);
    },
    diff: async (folder, diffOptions) => await diffActive(host, folder, diffOptions),
    commit: async (folder, parentDiffIds, diffId) => await commitActive(host, folder, parentDiffIds, diffId),
    usage: async (folder) => measureUpper(activeFolders(folder).upper),
    remove: async (key) => await area.delete(await area.discard(area.layer(key))),
    list: async function* () {
      for (const record of shelf.list()) yield toInfo(record);
    },
    sync: async () => await shelf.sync(),
    cleanup: async () => await cleanUp(host),
  };
}

async function viewMount(
  { area, shelf, userXattrs }: CommitHost,
  parents: readonly Digest[],
): Promise<Mount> {
  const stack = await loadStack(shelf, parents);
  const lowers = stack.layers.map((layer) => layer.link);
  area.make();
  // overlayfs takes the root folder's owner and mode from the topmost layer; without an upper one, it wants two layers.
  if (!hasItsRoot(stack)) lowers.unshift(area.emptyFolder(0, stack.root));
  for (let number = 1; lowers.length < 2; number++) lowers.push(area.emptyFolder(number, stack.root));
  return overlayMount({ folder: area.folder, lowers, userXattrs });
}

function toInfo(record: LayerRecord): SnapshotInfo;
function toInfo(record: LayerRecord | undefined): SnapshotInfo | undefined;
function toInfo(record: LayerRecord | undefined): SnapshotInfo | undefined {
  if (record === undefined) return undefined;
  const { key, diffId, sizeBytes, createdAt } = record;
  return { key, diffId, sizeBytes, createdAt: new Date(createdAt) };
}
