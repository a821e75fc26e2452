import { renameSync } from 'node:fs';
import { isErrno } from '../../errors.ts';
import { chainIds } from '../../oci/chain-id.ts';
import type { Digest } from '../../oci/digest.ts';
import type { SnapshotterParts } from '../snapshotter-parts.ts';
import { type LayerRecord, readRecord, writeRecord } from './layer-record.ts';
import type { MetadataStore } from './metadata-store.ts';

/** What is known of a layer before it is there. */
export type LayerToPublish = Omit<LayerRecord, 'version' | 'link' | 'createdAt'>;

/**
 * The name for a new layer: its chainID where it leans on its stack, else its diffID. At the bottom of a stack the two
 * are the same. Where a layer that leans has that name, the same layer without leaning takes its chainID elsewhere,
 * too.
 */
export async function keyOf(
  metadata: MetadataStore,
  diffIds: readonly Digest[],
  leans: boolean,
): Promise<Digest> {
  const chainId = chainIds(diffIds).at(-1)!;
  const diffId = diffIds.at(-1)!;
  return leans || (await metadata.find(diffId))?.leans ? chainId : diffId;
}

/**
 * Gives a finished layer's folder its name, with its record: from then on it is there. False where the layer has come
 * to be there meanwhile; the folder stays the caller's then. A layer whose record a crash has damaged makes room.
 */
export async function publishLayer(
  { snapshots, form }: Pick<SnapshotterParts, 'snapshots' | 'form'>,
  folder: string,
  layer: LayerToPublish,
): Promise<boolean> {
  snapshots.make();
  const link = form.shortName(layer.key);
  writeRecord(folder, { version: 1, ...layer, link, createdAt: new Date().toISOString() });
  const place = snapshots.layer(layer.key);
  if (isRenamed(folder, place)) return true;
  if (readRecord(place) !== undefined) return false;
  await snapshots.delete(await snapshots.discard(place));
  return isRenamed(folder, place);
}

/** False where there is something at `place`. */
function isRenamed(folder: string, place: string): boolean {
  try {
    renameSync(folder, place);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}
