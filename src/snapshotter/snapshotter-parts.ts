import type { Access } from '../access.ts';
import type { LayerForm } from './layer-form.ts';
import type { LayerWork } from './layer-work.ts';
import type { MetadataStore } from './records/metadata-store.ts';
import type { SnapshotRoot } from './records/snapshot-root.ts';
import type { WorkerPool } from './workers/worker-pool.ts';

/** What a form of layers may use of the parts that are shared. */
export interface FormTools {
  readonly snapshots: SnapshotRoot;
  /** overlayfs keeps its marks in `user.` attributes, as in a user namespace. */
  readonly userXattrs: boolean;
  /** Loaded when there is work for it: starting a container needs none of that. */
  pool(): Promise<WorkerPool<LayerWork>>;
}

/** What the rooms of the snapshotter share. */
export interface SnapshotterParts extends FormTools {
  readonly access: Access;
  /** What layers are on disk. */
  readonly form: LayerForm;
  readonly metadata: MetadataStore;
}

/** A form of layers, for `createOverlaySnapshotter`. */
export interface LayerFormKind {
  /** Names the snapshotter, and its folder below `$OCITS_ROOT/snapshots`. */
  readonly name: string;
  /** Costs nothing until the form is used. */
  create(tools: FormTools): LayerForm;
}
