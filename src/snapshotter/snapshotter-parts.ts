import type { LayerWork } from './layer-work.ts';
import type { MetadataStore } from './records/metadata-store.ts';
import type { SnapshotRoot } from './records/snapshot-root.ts';
import type { WorkerPool } from './workers/worker-pool.ts';

/** What the parts of the overlay backend share. */
export interface SnapshotterParts {
  readonly snapshots: SnapshotRoot;
  readonly metadata: MetadataStore;
  readonly userXattrs: boolean;
  /** Loaded when there is work for it: starting a container needs none of that. */
  pool(): Promise<WorkerPool<LayerWork>>;
}
