import { OcitsError } from '../errors.ts';
import type { BytePath, LayerEntry } from './layer-change.ts';
import type { LayerIndex } from './layer-index.ts';

/** An entry as the whole stack shows it. */
export interface MergedEntry {
  /** Where it is, with no symlink on the way (nor at the end, where that was followed). */
  readonly path: BytePath;
  /**
   * Never a hard link: that is the file it names. Undefined for a folder that no layer lists, but that is there
   * because something lies below it (mode 0755, owner 0).
   */
  readonly entry: LayerEntry | undefined;
  /** The layer that has it, as a position in the stack from the lowest, 0. */
  readonly layer: number;
}

/** What a stack of layers shows together: whiteouts, opaque folders and changes of type obeyed. */
export interface MergedTree {
  /**
   * Follows symlinks on the way inside the root, at most 40, and at the end too where `followLast` (the default).
   * Undefined: there is none. Throws `hostile` on too many symlinks.
   */
  lookup(path: BytePath, options?: { readonly followLast?: boolean }): MergedEntry | undefined;
  /**
   * Where `path` is once the symlinks on the way to its parent are followed; parts that are not there stay as they
   * are. For what is about to be created.
   */
  resolve(path: BytePath): BytePath;
  /** What is in the folder at `path` (no symlink is followed), sorted by bytes; nothing where that is no folder. */
  children(path: BytePath): MergedEntry[];
  /** All that is below `path`, parents before children, sorted; not `path` itself. */
  walk(path?: BytePath): Iterable<MergedEntry>;
}

/** `indexes`: lowest layer first. Cheap: what is needed is looked up when it is asked for. */
export function mergeIndexes(_indexes: readonly LayerIndex[]): MergedTree {
  throw new OcitsError('unsupported', 'the merged tree is not there yet');
}
