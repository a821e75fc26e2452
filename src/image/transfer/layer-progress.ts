import type { Descriptor } from '../../oci/descriptor.ts';
import type { LayerState, NewsSink } from '../../progress.ts';

const INTERVAL_MS = 100;
/** States whose bytes are those of the uncompressed tar, not of the blob. */
const COUNTS_TAR: ReadonlySet<LayerState> = new Set(['unpacking', 'unpacked', 'compressing']);

/** Tells how one layer gets on: each change of state at once, bytes within a state ten times a second at most. */
export interface LayerProgress {
  state(
    state: LayerState,
    more?: { readonly bytes?: number | undefined; readonly from?: string | undefined },
  ): void;
  bytes(state: LayerState, bytes: number): void;
}

export function layerProgress(
  { digest, size }: Descriptor,
  emit: NewsSink,
  now: () => number = () => performance.now(),
): LayerProgress {
  let last = Number.NEGATIVE_INFINITY;
  let current: LayerState | undefined;
  const send = (
    state: LayerState,
    more: { readonly bytes?: number | undefined; readonly from?: string | undefined },
  ) => {
    current = state;
    // Nobody knows before how large a layer is when it is unpacked.
    const totalBytes = COUNTS_TAR.has(state) ? undefined : size;
    emit({ type: 'layer', digest, state, totalBytes, ...more });
  };
  return {
    state: (state, more = {}) => send(state, more),
    bytes(state, bytes) {
      const at = now();
      if (state === current && at - last < INTERVAL_MS) return;
      last = at;
      send(state, { bytes });
    },
  };
}
