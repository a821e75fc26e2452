import { readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, OcitsError } from '../../errors.ts';
import { openIndexStore } from '../../layer/index/index-store.ts';
import type { Digest } from '../../oci/digest.ts';
import { opaqueXattr } from '../overlayfs/overlay-xattrs.ts';
import { placesOf } from '../reading/open-stack.ts';
import { loadStack } from '../records/layer-stack.ts';
import { keyOf, publishLayer } from '../records/publish-layer.ts';
import type { DiffOptions, DiffResult } from '../snapshotter.ts';
import type { SnapshotterParts } from '../snapshotter-parts.ts';
import { activeFolders, getActiveState } from './active-state.ts';
import { type DiffedLayer, type DiffJob, diffUpper } from './diff-upper.ts';
import { isOver, measureUpper } from './upper-walk.ts';

/** A diff of at most this is made at once; for more, starting a thread pays. */
const SMALL = { entries: 200, sizeBytes: 4 * 1024 * 1024 };
const FACTS = 'diff.json';
const INDEX = 'diff.index';

type DiffFacts = Omit<DiffedLayer, 'index'>;

/** Snapshotter.diff. What `commitActive` needs to know stays in the folder. */
export async function diffActive(
  parts: SnapshotterParts,
  folder: string,
  options: DiffOptions,
): Promise<DiffResult> {
  const { parents, targets } = getActiveState(folder);
  const stack = await loadStack(parts.metadata, parents);
  const { upper } = activeFolders(folder);
  const job: DiffJob = {
    upper,
    tarPath: options.tarPath,
    clampSeconds: options.clampSeconds,
    isReadOnly: options.isReadOnly ?? false,
    targets,
    lower: placesOf(parts.form, parts.snapshots.storeRoot, stack),
    root: stack.root,
    opaqueXattr: opaqueXattr(parts.userXattrs),
  };
  const isSmall = !isOver(measureUpper(upper, SMALL), SMALL);
  const { signal } = options;
  const diffed = isSmall
    ? await diffUpper(job, { signal })
    : await (await parts.pool()).run('diff', job, { signal });
  const { index, ...facts } = diffed;
  if (!job.isReadOnly) {
    writeFileSync(join(folder, INDEX), index);
    writeFileSync(join(folder, FACTS), JSON.stringify(facts));
  }
  return { diffId: facts.diffId, sizeBytes: facts.sizeBytes, entries: facts.entries };
}

/** Snapshotter.commit: the form takes the upper directory over. */
export async function commitActive(
  parts: SnapshotterParts,
  folder: string,
  parentDiffIds: readonly Digest[],
  diffId: Digest,
): Promise<Digest> {
  const { form, metadata, snapshots } = parts;
  const facts = readFacts(folder, diffId);
  const diffIds = [...parentDiffIds, diffId];
  const known = await metadata.findIn(diffIds);
  const { upper, layer } = activeFolders(folder);
  if (known !== undefined) return known.key;
  const key = await keyOf(metadata, diffIds, facts.leans);
  await openIndexStore(snapshots.storeRoot).put(diffId, readFileSync(join(folder, INDEX)));
  await form.adopt({ active: folder, upper, place: layer, rootFolder: facts.rootFolder });
  await publishLayer(parts, layer, {
    key,
    diffId,
    bootId: metadata.bootId,
    sizeBytes: facts.contentBytes,
    entries: facts.entries,
    leans: facts.leans,
    wasUpper: true,
    opaques: facts.opaques,
    rootFolder: facts.rootFolder,
  });
  await rm(join(folder, FACTS), { force: true });
  return key;
}

function readFacts(folder: string, diffId: Digest): DiffFacts {
  try {
    const facts = JSON.parse(readFileSync(join(folder, FACTS), 'utf8')) as DiffFacts;
    if (facts.diffId === diffId) return facts;
  } catch (error) {
    if (!(error instanceof SyntaxError) && !isErrno(error, 'ENOENT')) throw error;
  }
  throw new OcitsError(
    'invalid-argument',
    `the active snapshot in ${folder} has no diff ${diffId} to commit`,
  );
}
