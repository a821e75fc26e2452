import { OcitsError } from '../../errors.ts';
import { showPath } from '../../layer/byte-path.ts';
import type { BytePath, LayerSource } from '../../layer/layer-change.ts';
import { type MergedTree, mergeIndexes } from '../../layer/merge/merged-tree.ts';
import { readLayer } from '../../layer/tar/read-layer.ts';
import { type Digest, digestAlgorithm } from '../../oci/digest.ts';
import type { AppliedLayer } from '../layer-form.ts';
import { loadIndexes } from '../reading/index-reader.ts';
import type { WorkOptions } from '../workers/worker-messages.ts';
import { ApplyVisitor } from './apply-visitor.ts';
import { finishLayer } from './finish-layer.ts';
import { type Creator, LayerFolder } from './layer-folder.ts';
import { LayerTree } from './layer-tree.ts';
import { TrueIndex } from './true-index.ts';

/** The layers below, lowest first. */
export interface UnpackedBelow {
  /** `$OCITS_ROOT`, for the layer indexes. */
  readonly storeRoot: string;
  readonly diffIds: readonly Digest[];
  readonly folders: readonly string[];
}

/** What one layer needs to be unpacked: plain data, for a worker thread. */
export interface UnpackJob {
  readonly source: LayerSource;
  readonly diffId: Digest;
  /** An empty folder for the layer's tree, and a name beside it for what is needed in between: what begins with it is free. */
  readonly root: string;
  readonly scratch: string;
  /** Absent while it is not known whether they are needed. */
  readonly lower?: UnpackedBelow | undefined;
  readonly whiteoutDevice: string;
  readonly opaqueXattr: string;
  readonly creator: Creator;
}

/**
 * Unpacks a layer into the empty folder `job.root` and verifies its diffID. Throws LowerNeeded where the layer leans
 * on the layers below and `job.lower` is absent, `digest-mismatch`, and what `readLayer` throws. After an error the
 * folders are the caller's to delete.
 */
export async function unpackToFolder(job: UnpackJob, options: WorkOptions = {}): Promise<AppliedLayer> {
  const warnings = new Warnings();
  const folder = new LayerFolder(job.root, job.creator);
  const tree = new LayerTree(await lowerTree(job), (made) =>
    folder.makeFolder(made.path, made.metadata.mode),
  );
  const index = new TrueIndex();
  const onWarning = (kind: string, path: BytePath) => warnings.add(kind, path);
  using visitor = new ApplyVisitor({
    tree,
    folder,
    index,
    lowerFolders: job.lower?.folders ?? [],
    onWarning,
  });
  const read = await readLayer(job.source, visitor, {
    algorithm: digestAlgorithm(job.diffId),
    pipePath: `${job.scratch}-pipe`,
    ...options,
  });
  if (read.diffId !== job.diffId) {
    throw new OcitsError('digest-mismatch', `the layer has the diffID ${read.diffId}, not ${job.diffId}`, {
      hint: 'the image is damaged or its config belongs to another image',
    });
  }
  const opaques = await finishLayer({ ...job, tree, folder, onWarning });
  warnings.tell(options.onWarning);
  const { mode, uid, gid } = tree.root.metadata;
  return {
    leans: tree.leans,
    rootFolder: tree.root.isListed ? { mode, uid, gid } : undefined,
    opaques,
    sizeBytes: visitor.sizeBytes,
    entries: visitor.entries,
    index: index.finish(),
  };
}

async function lowerTree({ lower }: UnpackJob): Promise<MergedTree | 'bottom' | undefined> {
  if (lower === undefined) return undefined;
  if (lower.diffIds.length === 0) return 'bottom';
  return mergeIndexes(await loadIndexes(lower.storeRoot, lower.diffIds));
}

/** Each kind of warning is told once, however many entries a hostile layer gives cause with. */
class Warnings {
  readonly #kinds = new Map<string, { readonly path: BytePath; count: number }>();

  add(kind: string, path: BytePath): void {
    const known = this.#kinds.get(kind);
    if (known === undefined) this.#kinds.set(kind, { path, count: 1 });
    else known.count++;
  }

  tell(onWarning: ((text: string) => void) | undefined): void {
    for (const [kind, { path, count }] of this.#kinds) {
      const more = count === 1 ? '' : ` and ${count - 1} more`;
      onWarning?.(`${kind}: ${showPath(path)}${more}`);
    }
  }
}
