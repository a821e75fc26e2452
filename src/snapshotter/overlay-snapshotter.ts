import { type Access, decideAccess } from '../access.ts';
import type { HostPaths } from '../system/paths.ts';
import { FOLDERS } from './folder-form/folder-form.ts';
import { lookAtStack, readStackFile } from './reading/read-stack.ts';
import type { LayerRecord } from './records/layer-record.ts';
import { MetadataStore } from './records/metadata-store.ts';
import { SnapshotRoot } from './records/snapshot-root.ts';
import type { CleaningSnapshotter, DurableSnapshotter, SnapshotInfo } from './snapshotter.ts';
import type { LayerFormKind, SnapshotterParts } from './snapshotter-parts.ts';
import { activeFolders } from './upper/active-state.ts';
import { prepareActive } from './upper/prepare-active.ts';
import { measureUpper } from './upper/upper-walk.ts';
import { viewStack } from './upper/view-stack.ts';

/** How stacks are mounted, and what a layer is on disk. */
export interface OverlayOptions {
  /** What the process may do, and where overlayfs keeps its marks; the default is this process's own. */
  readonly access?: Access | undefined;
  /** The default is folders. */
  readonly form?: LayerFormKind | undefined;
}

/**
 * The front of the snapshotter: layers of some form, stacked by the kernel's overlayfs. It joins the rooms, and is all
 * that others call, together with the types of `snapshotter.ts`. Costs nothing until it is used.
 *
 *     await using snapshotter = createOverlaySnapshotter(paths);
 *     const key = await snapshotter.apply({ parents: [], diffIds, source });
 *     const { mounts } = await snapshotter.prepare(folder, [key], [{ path: 'dev', type: 'directory' }]);
 *
 * A call loads what it needs when it is made, so that starting a container reads neither the code that unpacks nor the
 * code that takes a diff.
 */
export function createOverlaySnapshotter(
  paths: HostPaths,
  { access = decideAccess(), form: kind = FOLDERS }: OverlayOptions = {},
): CleaningSnapshotter & DurableSnapshotter {
  const userXattrs = access.xattrPrefix === 'user.';
  const snapshots = new SnapshotRoot(paths, kind.name);
  let workers: ReturnType<SnapshotterParts['pool']> | undefined;
  const pool = () => {
    workers ??= import('./layer-work.ts').then((module) => module.createLayerWorkers());
    return workers;
  };
  const form = kind.create({ snapshots, userXattrs, pool });
  const metadata = new MetadataStore(snapshots, form);
  const parts: SnapshotterParts = { access, snapshots, metadata, form, userXattrs, pool };
  const upperOf = (folder: string | undefined) =>
    folder === undefined ? undefined : activeFolders(folder).upper;
  return {
    name: kind.name,
    stat: async (diffIds) => toInfo(await metadata.findIn(diffIds)),
    apply: async (request) => await (await import('./records/apply-layer.ts')).applyLayer(parts, request),
    prepare: async (folder, parents, targets = [], { isVolatile } = {}) =>
      await prepareActive(parts, { folder, parents, targets, isVolatile }),
    view: async (parents) => await viewStack(parts, parents),
    readFile: async ({ parents, folder }, path, limitBytes) =>
      await readStackFile(parts, { parents, upper: upperOf(folder) }, path, limitBytes),
    look: async ({ parents, folder }, lookedAt) =>
      await lookAtStack(parts, { parents, upper: upperOf(folder) }, lookedAt),
    openFile: async (key, path) => await form.openFile(await metadata.get(key), path),
    diff: async (folder, options) =>
      await (await import('./upper/commit-upper.ts')).diffActive(parts, folder, options),
    commit: async (folder, parentDiffIds, diffId) =>
      await (await import('./upper/commit-upper.ts')).commitActive(parts, folder, parentDiffIds, diffId),
    usage: async (folder) => measureUpper(activeFolders(folder).upper),
    remove: async (key) => await snapshots.delete(await snapshots.discard(snapshots.layer(key))),
    list: async function* () {
      for (const record of metadata.list()) yield toInfo(record);
    },
    sync: async () => await metadata.sync(),
    cleanup: async () => await (await import('./records/clean-up.ts')).cleanUp(parts),
    [Symbol.asyncDispose]: async () => await (await workers)?.[Symbol.asyncDispose](),
  };
}

function toInfo(record: LayerRecord): SnapshotInfo;
function toInfo(record: LayerRecord | undefined): SnapshotInfo | undefined;
function toInfo(record: LayerRecord | undefined): SnapshotInfo | undefined {
  if (record === undefined) return undefined;
  const { key, diffId, sizeBytes, createdAt } = record;
  return { key, diffId, sizeBytes, createdAt: new Date(createdAt) };
}
