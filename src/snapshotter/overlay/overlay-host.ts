import type { LayerShelf } from './layer-shelf.ts';
import type { OverlayArea } from './overlay-area.ts';
import type { WorkerPool } from './worker-pool.ts';

/** What the parts of the overlay backend share. */
export interface OverlayHost {
  readonly area: OverlayArea;
  readonly shelf: LayerShelf;
  readonly userXattrs: boolean;
  /** Loaded when there is work for it: starting a container needs none of that. */
  pool(): Promise<WorkerPool>;
}
