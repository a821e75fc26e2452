import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { OcitsError, wrapError } from '../errors.ts';
import { openIndexStore } from '../layer/index/index-store.ts';
import { type Digest, digestHex, shortDigest } from '../oci/digest.ts';
import { removeTrees } from '../system/file/remove-tree.ts';
import { requireLinuxRoot } from '../system/process/require-host.ts';
import { lockFile } from '../system/task/lock.ts';
import type { LowerFolders, UnpackedLayer, UnpackJob } from './folder-form/unpack-to-folder.ts';
import { LowerNeeded } from './layer-form.ts';
import { opaqueXattr } from './overlayfs/overlay-xattrs.ts';
import { keyOf, publishLayer } from './records/publish-layer.ts';
import type { ApplyRequest } from './snapshotter.ts';
import type { SnapshotterParts } from './snapshotter-parts.ts';

/**
 * Snapshotter.apply: unpacks a layer in a thread, under a lock of its own, beside its final place. Tries without the
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
  const known = await parts.metadata.findIn(diffIds);
  if (known !== undefined) return known.key;
  requireLinuxRoot('unpacking layers');
  parts.snapshots.make();
  const hex = digestHex(diffId);
  await using _lock = await lockFile(parts.snapshots.lock(hex), {
    mode: 'exclusive',
    signal,
  });
  const meanwhile = await parts.metadata.findIn(diffIds);
  if (meanwhile !== undefined) return meanwhile.key;
  const staging = join(parts.snapshots.staging, hex);
  try {
    return await unpackAndPublish(parts, request, staging, parents);
  } catch (error) {
    await removeTrees([staging]);
    if (error instanceof LowerNeeded) return undefined;
    throw wrapError(error, 'tool-failed', `cannot unpack the layer ${shortDigest(diffId)}`);
  }
}

async function unpackAndPublish(
  parts: SnapshotterParts,
  request: ApplyRequest,
  staging: string,
  parents: readonly Digest[] | undefined,
): Promise<Digest> {
  const { diffIds } = request;
  const diffId = diffIds.at(-1)!;
  const { index, ...unpacked } = await unpack(parts, request, staging, parents);
  const key = await keyOf(parts.metadata, diffIds, unpacked.leans);
  await openIndexStore(parts.snapshots.storeRoot).put(diffId, index);
  const isNew = await publishLayer(parts.snapshots, staging, {
    ...unpacked,
    key,
    diffId,
    wasUpper: false,
    bootId: parts.metadata.bootId,
  });
  if (!isNew) await removeTrees([staging]);
  return key;
}

async function unpack(
  parts: SnapshotterParts,
  { diffIds, source, ...options }: ApplyRequest,
  staging: string,
  parents: readonly Digest[] | undefined,
): Promise<UnpackedLayer> {
  await removeTrees([staging]);
  const root = join(staging, 'fs');
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const job: UnpackJob = {
    source,
    diffId: diffIds.at(-1)!,
    root,
    scratch: join(staging, 'times'),
    lower: parents === undefined ? undefined : lowerOf(parts, diffIds, parents),
    whiteoutDevice: parts.snapshots.whiteoutDevice,
    opaqueXattr: opaqueXattr(parts.userXattrs),
    creator: { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, umask: process.umask() },
  };
  return await (await parts.pool()).run('unpack', job, options);
}

function lowerOf(
  parts: SnapshotterParts,
  diffIds: readonly Digest[],
  parents: readonly Digest[],
): LowerFolders {
  return {
    storeRoot: parts.snapshots.storeRoot,
    diffIds: diffIds.slice(0, -1),
    folders: parents.map((key) => parts.snapshots.tree(key)),
  };
}
