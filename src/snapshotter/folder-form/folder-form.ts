import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../oci/digest.ts';
import type { LayerToApply, TidyingForm, UpperToAdopt, VerifyingForm } from '../layer-form.ts';
import { opaqueXattr } from '../overlayfs/overlay-xattrs.ts';
import type { FormTools, LayerFormKind } from '../snapshotter-parts.ts';
import type { WorkOptions } from '../workers/worker-messages.ts';
import { isCompleteFolder } from './complete-folder.ts';
import { makeShortLink, removeDeadLinks } from './short-link.ts';
import type { UnpackJob } from './unpack-to-folder.ts';

/**
 * The room of layers that are folders: `<hex>/fs` has a layer's tree, as overlayfs takes it for a lower folder. Beside
 * the layers are `l/<name>`, short links to the trees, since all options of a mount must fit one page, and `whiteout`,
 * the device of which whiteouts are links. The snapshotter's front gives this form to the shared parts; nobody else
 * calls it, save the thread that unpacks.
 *
 *     const snapshotter = createOverlaySnapshotter(paths, { form: FOLDERS });
 *
 * A tar's entries become files by a visitor (`apply-visitor`), at places that are found in memory (`layer-tree`); what
 * Node cannot make comes last, in one batch (`finish-layer`).
 */
export const FOLDERS: LayerFormKind = { name: 'overlay', create: createFolderForm };

function createFolderForm(tools: FormTools): VerifyingForm & TidyingForm {
  const { snapshots } = tools;
  const treeOf = (key: Digest) => treeIn(snapshots.layer(key));
  return {
    treeOf,
    shortName: (key) => makeShortLink(snapshots.folder, key),
    lowers: (layers) => ({ names: layers.map(({ link }) => link), mounts: [] }),
    apply: async (layer, options) => await applyToFolder(tools, layer, options),
    openFile: async ({ key }, path) =>
      (await import('./open-layer-file.ts')).openLayerFile(treeOf(key), path),
    adopt: async (upper) => await adoptFolder(upper),
    isComplete: (key, index) => isCompleteFolder(treeOf(key), index),
    tidy: async (layers) => {
      removeDeadLinks(snapshots.folder);
      await (await import('./overlay-marks.ts')).removeMarks(layers, {
        opaque: opaqueXattr(tools.userXattrs),
        treeOf,
      });
    },
  };
}

/** The tree in a layer's folder. */
function treeIn(layer: string): string {
  return join(layer, 'fs');
}

async function applyToFolder(
  { snapshots, userXattrs, pool }: FormTools,
  { source, diffId, place, below }: LayerToApply,
  options: WorkOptions,
) {
  const root = treeIn(place);
  mkdirSync(root, 0o700);
  const job: UnpackJob = {
    source,
    diffId,
    root,
    scratch: join(place, 'times'),
    lower: below && {
      storeRoot: snapshots.storeRoot,
      diffIds: below.diffIds,
      folders: below.keys.map((key) => treeIn(snapshots.layer(key))),
    },
    whiteoutDevice: join(snapshots.folder, 'whiteout'),
    opaqueXattr: opaqueXattr(userXattrs),
    creator: { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, umask: process.umask() },
  };
  return await (await pool()).run('unpack', job, options);
}

/**
 * Takes the directory over by a rename. overlayfs's marks stay in it, since they mean nothing in a lower layer. Only
 * opaque marks mean something: the tar has them, too, or they bind the layer to this stack.
 */
async function adoptFolder({ upper, place, rootFolder }: UpperToAdopt): Promise<void> {
  const tree = treeIn(place);
  mkdirSync(place, { recursive: true, mode: 0o700 });
  if (!existsSync(tree)) await rename(upper, tree);
  if (rootFolder !== undefined) return;
  // A root folder that the layer does not list has no owner and mode of its own, for other stacks.
  chownSync(tree, 0, 0);
  chmodSync(tree, 0o755);
}
