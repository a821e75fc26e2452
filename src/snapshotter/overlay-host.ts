import type { LayerShelf } from './records/layer-shelf.ts';
import type { OverlayArea } from './records/overlay-area.ts';
import type { WorkerPool } from './workers/worker-pool.ts';

/** What the parts of the overlay backend share. */
export interface OverlayHost {
  readonly area: OverlayArea;
  readonly shelf: LayerShelf;
  readonly userXattrs: boolean;
  /** Loaded when there is work for it: starting a container needs none of that. */
  pool(): Promise<WorkerPool>;
}
