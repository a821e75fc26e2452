import type { FileHandle } from 'node:fs/promises';
import type { BytePath } from '../layer/layer-change.ts';
import type { Digest } from '../oci/digest.ts';
import type { Mount } from '../system/mount.ts';
import type { HostPaths } from '../system/paths.ts';
import type { OverlayHost } from './overlay-host.ts';
import { overlayMount } from './overlayfs/overlay-mount.ts';
import { openStack } from './reading/open-stack.ts';
import { openLayerFile, readPlaceFile } from './reading/read-place.ts';
import type { StackReader } from './reading/stack-reader.ts';
import type { LayerRecord } from './records/layer-record.ts';
import { LayerShelf } from './records/layer-shelf.ts';
import { hasItsRoot, loadStack } from './records/layer-stack.ts';
import { OverlayArea } from './records/overlay-area.ts';
import type { ApplyRequest, SnapshotInfo, Snapshotter } from './snapshotter.ts';
import { activeFolders } from './upper/active-state.ts';
import { prepareActive } from './upper/prepare-active.ts';
import { measureUpper } from './upper/upper-walk.ts';
import type { WorkerPool } from './workers/worker-pool.ts';

export interface OverlayOptions {
  /** Marks go into `user.` attributes, as overlayfs needs it in a user namespace; the default is `trusted.`. */
  readonly userXattrs?: boolean;
}

/** Layers as folders, stacked by the kernel's overlayfs. Costs nothing until it is used. */
export function createOverlaySnapshotter(paths: HostPaths, options: OverlayOptions = {}): Snapshotter {
  const area = new OverlayArea(paths);
  const userXattrs = options.userXattrs ?? false;
  let pool: Promise<WorkerPool> | undefined;
  const host: OverlayHost = {
    area,
    shelf: new LayerShelf(area),
    userXattrs,
    pool: () => {
      pool ??= import('./workers/worker-pool.ts').then((module) => new module.WorkerPool());
      return pool;
    },
  };
  const { shelf } = host;
  return {
    name: 'overlay',
    stat: async (diffIds) => toInfo(await shelf.findIn(diffIds)),
    apply: async (request: ApplyRequest) =>
      await (await import('./apply-layer.ts')).applyLayer(host, request),
    prepare: async (folder, parents, targets = [], { isVolatile = false } = {}) =>
      await prepareActive(area, shelf, { folder, parents, targets, isVolatile, userXattrs }),
    view: async (parents) => [await viewMount(host, parents)],
    readFile: async (stack, path, limitBytes) => {
      using reader = await openReader(host, stack);
      return reader === undefined ? undefined : await readPlaceFile(reader, path, limitBytes);
    },
    look: async (stack, paths) => {
      using reader = await openReader(host, stack);
      const found: { mode: number | undefined; way: BytePath[] }[] = [];
      for (const path of paths) {
        const way: BytePath[] = [];
        const place = await reader?.resolve(path, (each) => way.push(each));
        found.push({ mode: place?.stat.mode, way });
      }
      return found;
    },
    openFile: async (key: Digest, path: BytePath): Promise<FileHandle> => {
      await shelf.get(key);
      return await openLayerFile(area.tree(key), path);
    },
    diff: async (folder, diffOptions) =>
      await (await import('./upper/commit-upper.ts')).diffActive(host, folder, diffOptions),
    commit: async (folder, parentDiffIds, diffId) =>
      await (await import('./upper/commit-upper.ts')).commitActive(host, folder, parentDiffIds, diffId),
    usage: async (folder) => measureUpper(activeFolders(folder).upper),
    remove: async (key) => await area.delete(await area.discard(area.layer(key))),
    list: async function* () {
      for (const record of shelf.list()) yield toInfo(record);
    },
    sync: async () => await shelf.sync(),
    cleanup: async () => await (await import('./clean-up.ts')).cleanUp(host),
  };
}

async function openReader(
  { area, shelf, userXattrs }: OverlayHost,
  { parents, folder }: { readonly parents: readonly Digest[]; readonly folder?: string },
): Promise<StackReader | undefined> {
  const upper = folder === undefined ? {} : { upper: activeFolders(folder).upper };
  const stack = await loadStack(shelf, parents);
  return openStack(area, stack, { userXattrs, ...upper });
}

async function viewMount(
  { area, shelf, userXattrs }: OverlayHost,
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
