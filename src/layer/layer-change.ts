/**
 * The room of layers: what a layer says, in terms that know no backend. A layer is a list of changes to the tree
 * below it; its own rooms read and write the tar (`tar`), compress it (`compress`), list it (`index`), and show what
 * a stack of layers makes together (`merge`). Snapshotter, builds and images call them. Nothing here mounts, unpacks
 * or knows the store. Paths are bytes, since names need not be UTF-8.
 *
 *     const source: LayerSource = { path: 'layer.tar.gz', compression: 'gzip', sizeBytes };
 *     const change: LayerChange = { type: 'whiteout', path: cleanPath('etc/motd') };
 */

import type { Compression } from '../oci/media-types.ts';
import type { CompressedFile } from './compression-format.ts';

/**
 * A path in a layer, as bytes: each character is one byte (latin1), so names that are not UTF-8 survive.
 * Relative, cleaned: no leading `/` or `./`, no empty, `.` or `..` parts; the empty string is the root.
 */
export type BytePath = string;

/** Seconds since 1970, which may be negative, and nanoseconds 0–999,999,999 on top of them. */
export interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What all entries have. Modes are the twelve permission bits; owners 0 … 2³²−2. */
export interface EntryMetadata {
  readonly path: BytePath;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Time;
  /** By attribute name (latin1), the raw values. */
  readonly xattrs?: ReadonlyMap<string, Buffer> | undefined;
}

/** A run of bytes of a sparse file that is stored; what lies between runs is a hole. */
export interface DataRun {
  readonly offset: number;
  readonly length: number;
}

export interface FileEntry extends EntryMetadata {
  readonly type: 'file';
  /** The file's size once written: for a sparse file, with its holes. */
  readonly sizeBytes: number;
  /** Where the stored bytes begin in the uncompressed tar, and how many they are. */
  readonly dataOffset: number;
  readonly storedBytes: number;
  readonly sparse?: readonly DataRun[] | undefined;
}

export interface DirectoryEntry extends EntryMetadata {
  readonly type: 'directory';
}

export interface SymlinkEntry extends EntryMetadata {
  readonly type: 'symlink';
  /** As it stands in the tar: absolute or relative, any bytes. */
  readonly target: string;
}

/** A further name of a file. `target` is a cleaned path from the layer's root. */
export interface HardlinkEntry extends EntryMetadata {
  readonly type: 'hardlink';
  readonly target: BytePath;
}

export interface DeviceEntry extends EntryMetadata {
  readonly type: 'char' | 'block';
  readonly major: number;
  readonly minor: number;
}

export interface FifoEntry extends EntryMetadata {
  readonly type: 'fifo';
}

/** image-spec layer.md#whiteouts: `path` of a lower layer is gone. */
export interface Whiteout {
  readonly type: 'whiteout';
  readonly path: BytePath;
}

/** image-spec layer.md#opaque-whiteout: all that lower layers have below the folder `path` is gone. */
export interface OpaqueMarker {
  readonly type: 'opaque';
  readonly path: BytePath;
}

export type LayerEntry = FileEntry | DirectoryEntry | SymlinkEntry | HardlinkEntry | DeviceEntry | FifoEntry;

/** One change that a layer makes to the tree below it, in terms that know no backend. */
export type LayerChange = LayerEntry | Whiteout | OpaqueMarker;

/** Where a layer's bytes are. */
export interface LayerSource extends CompressedFile {
  readonly compression: Compression;
}
