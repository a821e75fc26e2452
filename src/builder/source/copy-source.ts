/**
 * The room of trees that files are copied from: the interface, the walk through a tree with its patterns, symlinks,
 * and the stamps that tell whether a file has changed. `context` and `target` implement the interface; `copy`, `add`
 * and `run` read by it. Paths are bytes from the tree's root, and a symlink never leads out of it. Nothing here
 * writes.
 *
 *     const path = resolvePath((each) => source.entry(each), 'etc/app.conf');
 *     const entry = source.entry(path);
 *     const opened = entry?.type === 'file' ? await source.open(entry) : undefined;
 */

import type { BytePath } from '../../layer/layer-change.ts';
import type { FileStamp } from './stamp.ts';

export type SourceType = 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';

/** Something that can be copied. `mode`: the twelve permission bits. */
export interface SourceEntry {
  readonly path: BytePath;
  readonly type: SourceType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** 0 for all but files. */
  readonly sizeBytes: number;
  /** When it was changed last, in whole seconds: layers that builds make keep no more, as Docker's do not. */
  readonly mtimeSeconds: number;
  /** Of a symlink, in bytes. */
  readonly target?: string | undefined;
  /** Of a device. */
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
  /** Of a file that may have several names: the same for all of them. */
  readonly linkKey?: string | undefined;
  /** Of a file of the host: tells whether it has been changed since. */
  readonly stamp?: FileStamp | undefined;
}

/** A file whose content can be read. */
export interface OpenSource {
  readonly fd: number;
  /** Where in the open file the content begins; the default is 0. */
  readonly start?: number | undefined;
  close(): void | Promise<void>;
}

/**
 * A tree that COPY and ADD read from: the build context, a stage, an image. Paths are relative to its root, which is
 * the empty path; a folder above a path is a folder, no symlink.
 */
export interface CopySource {
  /** For messages, such as `the build context`. */
  readonly name: string;
  /** Whether devices and fifos are copied, too: not from a folder of the host. Sockets never are. */
  readonly keepsSpecials: boolean;
  /** Undefined where there is none, or it is ignored. No symlink is followed. */
  entry(path: BytePath): SourceEntry | undefined;
  /** Sorted by bytes; nothing where `path` is no folder. */
  children(path: BytePath): readonly SourceEntry[];
  /** Why `entry` gives nothing, where something is there that is left out. */
  whyMissing(path: BytePath): string | undefined;
  /** Opens a file. Throws `in-use` where it is not any more what `entry` says. */
  open(entry: SourceEntry): OpenSource | Promise<OpenSource>;
  /** The sha256 of each file's content, in hex, in order. */
  digests(files: readonly SourceEntry[], signal?: AbortSignal): Promise<readonly string[]>;
  /** Extended attributes that go along. */
  xattrs?(entry: SourceEntry): ReadonlyMap<string, Buffer> | undefined;
}
