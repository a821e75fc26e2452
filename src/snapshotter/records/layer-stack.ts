import type { Digest } from '../../oci/digest.ts';
import type { LayerRecord, RootFolder } from './layer-record.ts';
import type { MetadataStore } from './metadata-store.ts';

const PLAIN_ROOT: RootFolder = { mode: 0o755, uid: 0, gid: 0 };

/** The layers of a stack that take part in its tree, topmost first, as overlayfs wants them. */
export interface LayerStack {
  readonly layers: readonly LayerRecord[];
  /** The root folder's owner and mode: overlayfs takes those of the topmost layer, listed there or not. */
  readonly root: RootFolder;
}

/**
 * `parents`: lowest first. A layer that stands there twice takes part once, at its upper place. There it does again all
 * that it does below, and overlayfs refuses a folder that comes twice. What lies under a layer whose root is opaque
 * does not take part, since overlayfs looks for no opaque mark there. Throws `not-found`.
 */
export async function loadStack(metadata: MetadataStore, parents: readonly Digest[]): Promise<LayerStack> {
  const layers: LayerRecord[] = [];
  const seen = new Set<Digest>();
  for (const key of parents.toReversed()) {
    if (seen.has(key)) continue;
    seen.add(key);
    const record = await metadata.get(key);
    layers.push(record);
    if (record.opaques.includes('')) break;
  }
  const root = layers.find((layer) => layer.rootFolder !== undefined)?.rootFolder ?? PLAIN_ROOT;
  return { layers, root };
}

/** Whether the topmost layer's own root folder is what the tree's root shall be. */
export function hasItsRoot({ layers, root }: LayerStack): boolean {
  const own = layers[0]?.rootFolder ?? PLAIN_ROOT;
  return own.mode === root.mode && own.uid === root.uid && own.gid === root.gid;
}
