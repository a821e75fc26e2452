import type { FileHandle } from 'node:fs/promises';
import type { BytePath } from '../layer/layer-change.ts';
import type { Digest } from '../oci/digest.ts';
import type { Mount } from '../system/mount.ts';
import type { HostPaths } from '../system/paths.ts';
import { overlayMount } from './overlayfs/overlay-mount.ts';
import { openStack } from './reading/open-stack.ts';
import { openLayerFile, readPlaceFile } from './reading/read-place.ts';
import type { StackReader } from './reading/stack-reader.ts';
import type { LayerRecord } from './records/layer-record.ts';
import { hasItsRoot, loadStack } from './records/layer-stack.ts';
import { MetadataStore } from './records/metadata-store.ts';
import { SnapshotRoot } from './records/snapshot-root.ts';
import type { ApplyRequest, SnapshotInfo, Snapshotter } from './snapshotter.ts';
import type { SnapshotterParts } from './snapshotter-parts.ts';
import { activeFolders } from './upper/active-state.ts';
import { prepareActive } from './upper/prepare-active.ts';
import { measureUpper } from './upper/upper-walk.ts';

export interface OverlayOptions {
  /** Marks go into `user.` attributes, as overlayfs needs it in a user namespace; the default is `trusted.`. */
  readonly userXattrs?: boolean | undefined;
}

/** Layers as folders, stacked by the kernel's overlayfs. Costs nothing until it is used. */
export function createOverlaySnapshotter(paths: HostPaths, options: OverlayOptions = {}): Snapshotter {
  const snapshots = new SnapshotRoot(paths);
  const userXattrs = options.userXattrs ?? false;
  let pool: ReturnType<SnapshotterParts['pool']> | undefined;
  const parts: SnapshotterParts = {
    snapshots,
    metadata: new MetadataStore(snapshots),
    userXattrs,
    pool: () => {
      pool ??= import('./layer-work.ts').then((module) => module.createLayerWorkers());
      return pool;
    },
  };
  const { metadata } = parts;
  return {
    name: 'overlay',
    stat: async (diffIds) => toInfo(await metadata.findIn(diffIds)),
    apply: async (request: ApplyRequest) =>
      await (await import('./apply-layer.ts')).applyLayer(parts, request),
    prepare: async (folder, parents, targets = [], { isVolatile = false } = {}) =>
      await prepareActive(snapshots, metadata, { folder, parents, targets, isVolatile, userXattrs }),
    view: async (parents) => [await viewMount(parts, parents)],
    readFile: async (stack, path, limitBytes) => {
      using reader = await openReader(parts, stack);
      return reader === undefined ? undefined : await readPlaceFile(reader, path, limitBytes);
    },
    look: async (stack, paths) => {
      using reader = await openReader(parts, stack);
      const found: { mode: number | undefined; way: BytePath[] }[] = [];
      for (const path of paths) {
        const way: BytePath[] = [];
        const place = await reader?.resolve(path, (each) => way.push(each));
        found.push({ mode: place?.stat.mode, way });
      }
      return found;
    },
    openFile: async (key: Digest, path: BytePath): Promise<FileHandle> => {
      await metadata.get(key);
      return await openLayerFile(snapshots.tree(key), path);
    },
    diff: async (folder, diffOptions) =>
      await (await import('./upper/commit-upper.ts')).diffActive(parts, folder, diffOptions),
    commit: async (folder, parentDiffIds, diffId) =>
      await (await import('./upper/commit-upper.ts')).commitActive(parts, folder, parentDiffIds, diffId),
    usage: async (folder) => measureUpper(activeFolders(folder).upper),
    remove: async (key) => await snapshots.delete(await snapshots.discard(snapshots.layer(key))),
    list: async function* () {
      for (const record of metadata.list()) yield toInfo(record);
    },
    sync: async () => await metadata.sync(),
    cleanup: async () => await (await import('./clean-up.ts')).cleanUp(parts),
    [Symbol.asyncDispose]: async () => await (await pool)?.[Symbol.asyncDispose](),
  };
}

async function openReader(
  { snapshots, metadata, userXattrs }: SnapshotterParts,
  { parents, folder }: { readonly parents: readonly Digest[]; readonly folder?: string },
): Promise<StackReader | undefined> {
  const upper = folder === undefined ? {} : { upper: activeFolders(folder).upper };
  const stack = await loadStack(metadata, parents);
  return openStack(snapshots, stack, { userXattrs, ...upper });
}

async function viewMount(
  { snapshots, metadata, userXattrs }: SnapshotterParts,
  parents: readonly Digest[],
): Promise<Mount> {
  const stack = await loadStack(metadata, parents);
  const lowers = stack.layers.map((layer) => layer.link);
  snapshots.make();
  // overlayfs takes the root folder's owner and mode from the topmost layer; without an upper one, it wants two layers.
  if (!hasItsRoot(stack)) lowers.unshift(snapshots.emptyFolder(0, stack.root));
  for (let number = 1; lowers.length < 2; number++) lowers.push(snapshots.emptyFolder(number, stack.root));
  return overlayMount({ folder: snapshots.folder, lowers, userXattrs });
}

function toInfo(record: LayerRecord): SnapshotInfo;
function toInfo(record: LayerRecord | undefined): SnapshotInfo | undefined;
function toInfo(record: LayerRecord | undefined): SnapshotInfo | undefined {
  if (record === undefined) return undefined;
  const { key, diffId, sizeBytes, createdAt } = record;
  return { key, diffId, sizeBytes, createdAt: new Date(createdAt) };
}
