import { join } from 'node:path';
import type { CopyInstruction } from '../../dockerfile/instruction.ts';
import type { RunMount } from '../../dockerfile/parse/run-mount.ts';
import { createLayerWriter } from '../../layer/tar/layer-writer.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Parents } from '../../snapshotter/snapshotter.ts';
import { copyDigest } from '../copy/content-digest.ts';
import { planCopy } from '../copy/plan.ts';
import { type CopySelection, selectCopy } from '../copy/select.ts';
import { writeCopyLayer } from '../copy/write.ts';
import type { BuildJob } from '../job/build-job.ts';

/** Files of the build context that a RUN sees by `--mount=type=bind`: a tree of their own, without what is ignored. */
export interface MountedFiles {
  readonly digest: Digest;
  /** Makes the tree, below which the source is `path`: '' for the content of a folder, else a file's name. */
  unpack(place: string, signal: AbortSignal): Promise<{ readonly parents: Parents; readonly path: string }>;
}

/** Finds what a bind mount of the context names. Throws `not-found` at the mount. */
export async function findMountedFiles(
  job: BuildJob,
  mount: RunMount,
  signal: AbortSignal,
): Promise<MountedFiles> {
  const selection = await selectCopy({
    instruction: asCopy(mount),
    file: job.file,
    source: job.files,
  });
  return {
    digest: await copyDigest(selection, signal),
    unpack: (place, unpackSignal) => unpackSelection(job, selection, mount, { place, signal: unpackSignal }),
  };
}

/** The mount's source as a COPY of it. */
function asCopy({ source = '/', at }: RunMount): CopyInstruction {
  return {
    kind: 'COPY',
    range: { start: at, end: at },
    source: `COPY ${source} /`,
    sources: [{ text: source, at }],
    contents: [],
    destination: { text: '/', at },
    link: true,
    parents: false,
    excludes: [],
    flagsAt: {},
  };
}

async function unpackSelection(
  { file, engine }: BuildJob,
  selection: CopySelection,
  { at }: RunMount,
  { place, signal }: { place: string; signal: AbortSignal },
): Promise<{ parents: Parents; path: string }> {
  await using plan = await planCopy({
    selection,
    file,
    destination: { text: '/', at },
    workdir: '/',
    base: undefined,
    timeSeconds: 0,
    scratch: place,
    signal,
  });
  const tarPath = join(place, 'files.tar');
  using writer = createLayerWriter(tarPath);
  await writeCopyLayer(plan, writer, { signal });
  const { diffId, sizeBytes } = writer.finish();
  const source = { path: tarPath, compression: 'none', sizeBytes } as const;
  const snapshotter = await engine.snapshotter();
  const key = await snapshotter.apply({ parents: [], diffIds: [diffId], source, signal });
  const [first] = selection.sources;
  const isFile = first?.kind === 'path' && first.root.type !== 'directory';
  return { parents: [key], path: isFile ? first.name : '' };
}
