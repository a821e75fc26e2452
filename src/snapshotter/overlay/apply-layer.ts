import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { wrapError } from '../../errors.ts';
import { openIndexStore } from '../../layer/index-store.ts';
import { chainIds } from '../../oci/chain-id.ts';
import { type Digest, digestHex, shortDigest } from '../../oci/digest.ts';
import { lockFile } from '../../system/lock.ts';
import { removeTrees } from '../../system/remove-tree.ts';
import type { ApplyRequest } from '../snapshotter.ts';
import type { CommitHost } from './commit-upper.ts';
import { LowerNeeded } from './layer-tree.ts';
import { opaqueXattr } from './open-stack.ts';
import { publishLayer } from './publish-layer.ts';
import type { UnpackedLayer, UnpackJob } from './unpack-layer.ts';

/** Snapshotter.apply: unpacks a layer in a thread, under a lock of its own, beside its final place. */
export async function applyLayer(host: CommitHost, request: ApplyRequest): Promise<Digest> {
  const { diffIds, signal } = request;
  const diffId = diffIds.at(-1)!;
  const known = await host.shelf.findIn(diffIds);
  if (known !== undefined) return known.key;
  host.area.make();
  const hex = digestHex(diffId);
  await using _lock = await lockFile(host.area.lock(hex), {
    mode: 'exclusive',
    ...(signal === undefined ? {} : { signal }),
  });
  const meanwhile = await host.shelf.findIn(diffIds);
  if (meanwhile !== undefined) return meanwhile.key;
  const staging = join(host.area.staging, hex);
  try {
    return await unpackAndPublish(host, request, staging);
  } catch (error) {
    await removeTrees([staging]);
    throw wrapError(error, 'tool-failed', `cannot unpack the layer ${shortDigest(diffId)}`);
  }
}

async function unpackAndPublish(host: CommitHost, request: ApplyRequest, staging: string): Promise<Digest> {
  const { diffIds } = request;
  const diffId = diffIds.at(-1)!;
  const { index, opaques, rootFolder, ...unpacked } = await unpack(host, request, staging);
  const key = unpacked.leans ? chainIds(diffIds).at(-1)! : diffId;
  await openIndexStore(host.area.storeRoot).put(diffId, index);
  const isNew = publishLayer(host.area, staging, {
    ...unpacked,
    key,
    diffId,
    opaques,
    wasUpper: false,
    bootId: host.shelf.bootId,
    ...(rootFolder === undefined ? {} : { rootFolder }),
  });
  if (!isNew) await removeTrees([staging]);
  return key;
}

/** Tries without the layers below, and with them where the layer turns out to lean on them. */
async function unpack(host: CommitHost, request: ApplyRequest, staging: string): Promise<UnpackedLayer> {
  const { parents, diffIds } = request;
  const isBottom = diffIds.length === 1;
  if (!isBottom) {
    try {
      return await unpackOnce(host, request, staging, undefined);
    } catch (error) {
      if (!(error instanceof LowerNeeded)) throw error;
    }
  }
  const keys = await Promise.all(parents);
  return await unpackOnce(host, request, staging, {
    storeRoot: host.area.storeRoot,
    diffIds: diffIds.slice(0, -1),
    folders: keys.map((key) => host.area.tree(key)),
  });
}

async function unpackOnce(
  host: CommitHost,
  { diffIds, source, ...options }: ApplyRequest,
  staging: string,
  lower: UnpackJob['lower'],
): Promise<UnpackedLayer> {
  if (existsSync(staging)) await removeTrees([staging]);
  const root = join(staging, 'fs');
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const job: UnpackJob = {
    source,
    diffId: diffIds.at(-1)!,
    root,
    scratch: join(staging, 'times'),
    ...(lower === undefined ? {} : { lower }),
    whiteoutDevice: host.area.whiteoutDevice,
    opaqueXattr: opaqueXattr(host.userXattrs),
    creator: { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, umask: process.umask() },
  };
  return await host.pool.run('unpack', job, options);
}
