/**
 * The room of trees that files are copied to: the folders that are made on the way, owners and modes by `--chown` and
 * `--chmod`, and a stage's tree as it stands. `copy` and `step` call it; `add` and `context` read trees that were
 * written. It works on the indexes of layers in memory: nothing is mounted, and nothing is written to the disk.
 *
 *     const tree = new TargetTree(base);
 *     tree.makeFolders(parentPath(path), madeFolders(owner, mode, mtimeSeconds));
 *     tree.put({ path, type: 'file', mode: 0o644, uid: 0, gid: 0, mtimeSeconds, sizeBytes, content });
 *     const entries = tree.entries();
 */

import { OcitsError } from '../../errors.ts';
import { showPath, tooLong } from '../../layer/byte-path.ts';
import type { BytePath, LayerEntry } from '../../layer/layer-change.ts';
import type { MergedTree } from '../../layer/merge/merged-tree.ts';
import { quotePath } from '../source/copy-error.ts';
import type { OpenSource, SourceType } from '../source/copy-source.ts';
import { type LinkEntry, resolvePath } from '../source/resolve.ts';
import type { ModeChange } from './mode.ts';
import type { CopyOwner } from './owner.ts';

/** Something that a COPY puts into its layer. */
export interface PlannedEntry {
  readonly path: BytePath;
  readonly type: Exclude<SourceType, 'socket'>;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeSeconds: number;
  readonly sizeBytes: number;
  readonly target?: string | undefined;
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
  readonly xattrs?: ReadonlyMap<string, Buffer> | undefined;
  /** Of a file: its bytes, or how to open them. */
  readonly content?: Buffer | (() => OpenSource | Promise<OpenSource>) | undefined;
  /** Entries with the same key are names of one file. */
  readonly linkKey?: string | undefined;
}

/** What folders get that are made on the way. */
export interface MadeFolders {
  readonly mode: number;
  readonly owner: CopyOwner;
  readonly mtimeSeconds: number;
}

/**
 * The tree that a COPY writes to: what the layers below show, with what is planned over it. Paths that are looked at or
 * put have been resolved: no folder above them is a symlink.
 */
export class TargetTree {
  readonly #base: MergedTree | undefined;
  readonly #planned = new Map<BytePath, PlannedEntry>();
  /** Folders that are planned where the base has no folder: nothing below them is the base's. */
  readonly #fresh = new Set<BytePath>();

  /** `base` undefined: there is nothing below, or nothing may be known of it (`--link`). */
  constructor(base: MergedTree | undefined) {
    this.#base = base;
  }

  look(path: BytePath): LinkEntry | undefined {
    if (path === '') return { type: 'directory' };
    return this.#planned.get(path) ?? this.#below(path);
  }

  /** Follows symlinks inside the root; see `resolvePath`. */
  resolve(path: string): BytePath {
    return resolvePath((at) => this.look(at), path);
  }

  planned(path: BytePath): PlannedEntry | undefined {
    return this.#planned.get(path);
  }

  /** Puts an entry in place of whatever is there. Throws `invalid-argument` for a path that no file can have. */
  put(entry: PlannedEntry): void {
    const { path, type } = entry;
    const fault = tooLong(path);
    if (fault !== undefined) throw new OcitsError('invalid-argument', `${showPath(`/${path}`)} ${fault}`);
    if (type === 'directory') {
      if (!this.#fresh.has(path) && this.look(path)?.type !== 'directory') this.#fresh.add(path);
    } else if (this.#planned.get(path)?.type === 'directory') this.#forgetBelow(path);
    this.#planned.set(path, entry);
  }

  /** Gives a folder that is there another mode; its owner and time stay. */
  changeMode(path: BytePath, mode: number): void {
    const there = this.#planned.get(path) ?? this.#folderBelow(path) ?? unlistedFolder(path);
    this.#planned.set(path, { ...there, mode });
  }

  /**
   * Makes `path` and the folders above it where they are missing. Throws `invalid-argument` where one of them is no
   * folder.
   */
  makeFolders(path: BytePath, { mode, owner, mtimeSeconds }: MadeFolders): void {
    const parts = path === '' ? [] : path.split('/');
    for (let count = 1; count <= parts.length; count++) {
      const folder = parts.slice(0, count).join('/');
      const there = this.look(folder);
      if (there?.type === 'directory') continue;
      if (there !== undefined) throw notFolder(folder);
      this.put({ path: folder, type: 'directory', mode, ...owner, mtimeSeconds, sizeBytes: 0 });
    }
  }

  /**
   * All planned entries by the bytes of their paths, with the folders above them that the base has: a tool that unpacks
   * this layer alone must not make those up.
   */
  entries(): PlannedEntry[] {
    const all = new Map(this.#planned);
    for (const path of this.#planned.keys()) {
      for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
        const folder = path.slice(0, slash);
        if (all.has(folder)) break;
        const before = this.#folderBelow(folder);
        if (before !== undefined) all.set(folder, before);
      }
    }
    return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  #below(path: BytePath): LinkEntry | undefined {
    if (this.#base === undefined || this.#fresh.has(path.slice(0, Math.max(path.lastIndexOf('/'), 0))))
      return undefined;
    const found = this.#base.lookup(path, { followLast: false });
    if (found === undefined) return undefined;
    if (found.entry === undefined) return { type: 'directory' };
    return {
      type: found.entry.type,
      target: found.entry.type === 'symlink' ? found.entry.target : undefined,
    };
  }

  /** A folder of the base as it is there; undefined where no layer lists it. */
  #folderBelow(path: BytePath): PlannedEntry | undefined {
    const entry = this.#base?.lookup(path, { followLast: false })?.entry;
    return entry === undefined ? undefined : { ...plannedAttributes(path, entry), type: 'directory' };
  }

  #forgetBelow(path: BytePath): void {
    for (const other of this.#planned.keys()) if (other.startsWith(`${path}/`)) this.#planned.delete(other);
    this.#fresh.delete(path);
  }
}

/** What a planned entry has of an entry of a layer, whatever its type. */
export function plannedAttributes(
  path: BytePath,
  { mode, uid, gid, mtime, xattrs }: LayerEntry,
): Omit<PlannedEntry, 'type'> {
  return { path, mode, uid, gid, mtimeSeconds: mtime.seconds, sizeBytes: 0, xattrs };
}

/** A folder that is only there because something is in it. */
function unlistedFolder(path: BytePath): PlannedEntry {
  return { path, type: 'directory', mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0, sizeBytes: 0 };
}

function notFolder(path: BytePath): OcitsError {
  return new OcitsError('invalid-argument', `${quotePath(`/${path}`)} in the image is no folder`);
}

/** How folders on the way to a destination are made. */
export function madeFolders(
  owner: CopyOwner | undefined,
  mode: ModeChange | undefined,
  mtimeSeconds: number,
): MadeFolders {
  return { mode: mode?.forMadeFolders ?? 0o755, owner: owner ?? { uid: 0, gid: 0 }, mtimeSeconds };
}
