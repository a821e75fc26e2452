import type { LayerIndex } from '../layer/index/layer-index.ts';
import type { BytePath, LayerSource } from '../layer/layer-change.ts';
import type { Digest } from '../oci/digest.ts';
import type { Mount } from '../system/mount.ts';
import type { LayerRecord, RootFolder } from './records/layer-record.ts';
import type { LayerFile } from './snapshotter.ts';
import type { WorkOptions } from './workers/worker-messages.ts';

/** What a layer that has been made turned out to be. */
export interface AppliedLayer {
  /** The layer's meaning depends on the layers below it. */
  readonly leans: boolean;
  /** What the tar says of its root folder, where it does. */
  readonly rootFolder?: RootFolder | undefined;
  /** Folders that hide all that lies below them. */
  readonly opaques: readonly BytePath[];
  /** Of regular files, each counted once. */
  readonly sizeBytes: number;
  readonly entries: number;
  /** For `IndexStore.put`. */
  readonly index: Uint8Array;
}

/** A layer that is to be made of its tar. */
export interface LayerToApply {
  readonly source: LayerSource;
  readonly diffId: Digest;
  /** An empty folder, which nobody else sees before it has got the layer's name. */
  readonly place: string;
  /** The layers below, lowest first; undefined while it is not known whether they are needed. */
  readonly below?: { readonly keys: readonly Digest[]; readonly diffIds: readonly Digest[] } | undefined;
}

/** An upper directory that is to become a layer. Nobody mounts it any more. */
export interface UpperToAdopt {
  /** The active snapshot's folder, and the upper directory in it, which says what the layer's tar says. */
  readonly active: string;
  readonly upper: string;
  /** The folder that will get the layer's name. After a crash it may have been begun already. */
  readonly place: string;
  /** What the root folder is in this layer; undefined where the layer does not list it. */
  readonly rootFolder?: RootFolder | undefined;
}

/** A stack's layers as an overlay mount takes them. */
export interface LowerFolders {
  /** Topmost first, relative to the snapshot root. */
  readonly names: readonly string[];
  /** What has to be mounted before; each says where. */
  readonly mounts: readonly Mount[];
}

/**
 * What a layer is on disk: a folder with its tree, one file, whatever an overlay mount can be made of. All else is
 * shared by the forms: names and records, locks, crash safety, the upper directory with its mount targets, diff and
 * usage, reading of merged trees, and threads.
 *
 * The life of a layer:
 *
 *     const layer = await form.apply({ source, diffId, place, below });  // made in a folder that nobody sees
 *     const link = form.shortName(key);                                  // then the folder gets its name and record
 *     const { names, mounts } = await form.lowers(records);              // mounted under an upper directory, or alone
 *     const file = await form.openFile(record, 'etc/passwd');            // read without a mount
 *     await form.adopt({ active, upper, place });                        // what was written becomes a layer itself
 *
 * Whatever a form keeps of a layer lies in that layer's folder, so that removing the folder removes the layer.
 */
export interface LayerForm {
  /**
   * Makes a layer in `place` and verifies its diffID. Throws LowerNeeded where the layer leans on the layers below and
   * those were not given, `digest-mismatch`, and what `readLayer` throws; the folder is the caller's to delete then.
   */
  apply(layer: LayerToApply, options: WorkOptions): Promise<AppliedLayer>;
  /** The short name of a layer that is about to be published. Its record keeps it as `link`, for `lowers`. */
  shortName(key: Digest): string;
  /** `layers`: topmost first. */
  lowers(layers: readonly LayerRecord[]): LowerFolders | Promise<LowerFolders>;
  /**
   * The folder with a layer's own tree, with overlayfs's whiteouts and opaque marks. Undefined where there is none: then
   * stacks are read by their layers' indexes and `openFile`.
   */
  treeOf(key: Digest): string | undefined;
  /** Opens a regular file of a layer, as its index lists it. No symlink is followed. Throws `not-found`. */
  openFile(layer: LayerRecord, path: BytePath): LayerFile | Promise<LayerFile>;
  /** Takes an upper directory over and makes it a layer in `place`. */
  adopt(upper: UpperToAdopt): Promise<void>;
}

/**
 * A form that can tell whether a layer's files survived a crash. Without it, a layer of an earlier boot that no `sync`
 * has marked is made again.
 */
export interface VerifyingForm extends LayerForm {
  /** Whether all is there that the index says. */
  isComplete(key: Digest, index: LayerIndex): boolean;
}

/** A form that leaves things for a quiet hour. */
export interface TidyingForm extends LayerForm {
  /** Clears them away; `layers` are all that are there. */
  tidy(layers: Iterable<LayerRecord>): Promise<void>;
}

/** Whether a form can tell what a crash has left of a layer. */
export function canVerify(form: LayerForm): form is VerifyingForm {
  return 'isComplete' in form;
}

/** Whether a form has anything to tidy. */
export function canTidy(form: LayerForm): form is TidyingForm {
  return 'tidy' in form;
}
