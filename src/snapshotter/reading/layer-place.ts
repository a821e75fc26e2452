import type { LayerFile } from '../snapshotter.ts';

/** What something in a layer is like; `mode` with the type, as in `st_mode`. */
export interface PlaceStat {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
}

/** The content of a regular file. It ends with what is open, or after `sizeBytes` where that is given. */
export interface PlaceContent extends LayerFile {
  readonly sizeBytes?: number | undefined;
}

/** Something that one layer has, or several that are read as one. */
export interface LayerPlace {
  readonly stat: PlaceStat;
  /** It hides what layers below have under its name, and is nothing itself. */
  readonly isWhiteout: boolean;
  /** Of a symlink. */
  readonly target?: string | undefined;
  /** What stands under a name in this folder, which may be a symlink; undefined: nothing. */
  find(name: string): LayerPlace | undefined;
  /** Whether this folder hides what layers below have in it. */
  isOpaque(): boolean | Promise<boolean>;
  /** Opens this regular file. */
  open(): PlaceContent | Promise<PlaceContent>;
}

/** A layer's tree that is being read. Disposing closes what is open. */
export interface LayerReader extends Disposable {
  root(): LayerPlace;
}
