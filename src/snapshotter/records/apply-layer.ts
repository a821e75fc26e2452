import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { requireRoot } from '../../access.ts';
import { OcitsError, wrapError } from '../../errors.ts';
import { openIndexStore } from '../../layer/index/index-store.ts';
import { type Digest, digestHex, shortDigest } from '../../oci/digest.ts';
import { removeTrees } from '../../system/file/remove-tree.ts';
import { lockFile } from '../../system/task/lock.ts';
import { LowerNeeded } from '../lower-needed.ts';
import type { ApplyRequest } from '../snapshotter.ts';
import type { SnapshotterParts } from '../snapshotter-parts.ts';
import { keyOf, publishLayer } from './publish-layer.ts';

/**
 * Snapshotter.apply: has the form make a layer, under a lock of its own, beside its final place. Tries without the
 * layers below first, so that it need not wait for them; most layers stand on their own.
 */
export async function applyLayer(parts: SnapshotterParts, request: ApplyRequest): Promise<Digest> {
  const isBottom = request.diffIds.length === 1;
  const own = isBottom ? undefined : await applyOnce(parts, request, undefined);
  if (own !== undefined) return own;
  // Not under the lock: one of the layers below may be this one.
  const parents = await Promise.all(request.parents);
  const leaning = await applyOnce(parts, request, parents);
  if (leaning !== undefined) return leaning;
  throw new OcitsError('internal', 'a layer leans on layers below its whole stack');
}

/** Undefined where the layer leans on the layers below and those were not given. */
async function applyOnce(
  parts: SnapshotterParts,
  request: ApplyRequest,
  parents: readonly Digest[] | undefined,
): Promise<Digest | undefined> {
  const { diffIds, signal } = request;
  const diffId = diffIds.at(-1)!;
  const { metadata, snapshots } = parts;
  const known = await metadata.findIn(diffIds);
  if (known !== undefined) return known.key;
  requireRoot(parts.access, 'unpacking layers');
  snapshots.make();
  const hex = digestHex(diffId);
  await using _lock = await lockFile(snapshots.lock(hex), { mode: 'exclusive', signal });
  const meanwhile = await metadata.findIn(diffIds);
  if (meanwhile !== undefined) return meanwhile.key;
  const staging = join(snapshots.staging, hex);
  try {
    return await makeAndPublish(parts, request, staging, parents);
  } catch (error) {
    await removeTrees([staging]);
    if (error instanceof LowerNeeded) return undefined;
    throw wrapError(error, 'tool-failed', `cannot unpack the layer ${shortDigest(diffId)}`);
  }
}

async function makeAndPublish(
  parts: SnapshotterParts,
  request: ApplyRequest,
  staging: string,
  parents: readonly Digest[] | undefined,
): Promise<Digest> {
  const { diffIds, source, signal, onWarning } = request;
  const { form, metadata, snapshots } = parts;
  const diffId = diffIds.at(-1)!;
  await removeTrees([staging]);
  mkdirSync(staging, 0o700);
  const below = parents && { keys: parents, diffIds: diffIds.slice(0, -1) };
  const toApply = { source, diffId, place: staging, below };
  let readBytes = 0;
  const onBytes = (bytes: number) => {
    readBytes = bytes;
    request.onBytes?.(bytes);
  };
  const { index, ...layer } = await form.apply(toApply, { signal, onBytes, onWarning });
  request.onWhole?.(readBytes);
  const key = await keyOf(metadata, diffIds, layer.leans);
  await openIndexStore(snapshots.storeRoot).put(diffId, index);
  const { bootId } = metadata;
  const isNew = await publishLayer(parts, staging, { ...layer, key, diffId, wasUpper: false, bootId });
  if (!isNew) await removeTrees([staging]);
  return key;
}
