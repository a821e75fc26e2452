/**
 * The room of layer indexes: all changes of a layer without the content of its files, in one file that is quick to
 * open. The writer of tars makes them, and whoever reads a tar may; `merge`, the snapshotter, and builds read them;
 * the collection of garbage deletes them. An index is a cache: it can be made again from its layer.
 *
 *     const builder = createIndexBuilder();
 *     builder.add(change);
 *     const index = decodeIndex(builder.finish());
 *     const found = index.at(index.find('etc/passwd'));
 */

import type { BytePath, LayerChange } from '../layer-change.ts';
import { createIndexFile, openIndexFile, sealIndex, TYPES } from './format.ts';
import { collectNames, type IndexNames } from './names.ts';
import { changeAt, fillColumns, type IndexRow, toRow } from './rows.ts';

/**
 * A layer's changes without the content of its files: that lies at `dataOffset` of the uncompressed tar.
 * Whiteouts and opaque markers concern the layers below, never this one's own entries, wherever they stand.
 */
export interface LayerIndex {
  /** How many changes there are; they keep the order of the tar. */
  readonly count: number;
  /** The change at `position`, made afresh at each call. */
  at(position: number): LayerChange;
  /** Its type alone, which costs nothing. */
  typeAt(position: number): LayerChange['type'];
  /** The position of the last entry for `path` that is no whiteout or opaque marker, or -1. */
  find(path: BytePath): number;
  /** Whether this layer removes `path` itself from the layers below. */
  hasWhiteout(path: BytePath): boolean;
  /** Whether this layer hides all that layers below have in the folder `path`. */
  isOpaque(path: BytePath): boolean;
  /** The names that this layer has in a folder, listed or there because something lies below them; in no order. */
  namesIn(folder: BytePath): readonly string[];
}

/** Collects the changes of one layer as they are read or written, and gives the bytes of its index file. */
export interface LayerIndexBuilder {
  readonly count: number;
  /**
   * Adds a change. Where a layer leans on symlinks below it, the one who applies it gives the path at which the
   * entry really is.
   */
  add(change: LayerChange): void;
  /** The index file's bytes, for `decodeIndex` and `IndexStore.put`. */
  finish(): Buffer;
}

/** An empty index to add to. */
export function createIndexBuilder(): LayerIndexBuilder {
  const rows: IndexRow[] = [];
  return {
    get count() {
      return rows.length;
    },
    add(change) {
      rows.push(toRow(change));
    },
    finish() {
      const paths = rows.map((row) => row.path).join('');
      const extras = rows.map((row) => row.extra).join('');
      const { bytes, columns } = createIndexFile(rows.length, paths, extras);
      fillColumns(columns, rows);
      sealIndex(bytes);
      return bytes;
    },
  };
}

/**
 * Reads an index file's bytes, which must not change afterwards. Cheap: names are looked at when one is asked for.
 * Throws `corrupt` where the bytes are damaged or of another version.
 */
export function decodeIndex(bytes: Buffer): LayerIndex {
  const parts = openIndexFile(bytes);
  const { type } = parts.columns;
  let names: IndexNames | undefined;
  const named = () => {
    names ??= collectNames(parts);
    return names;
  };
  return {
    count: type.length,
    at: (position) => changeAt(parts, position),
    typeAt: (position) => TYPES[type[position]!]!,
    find: (path) => named().entries.get(path) ?? -1,
    hasWhiteout: (path) => named().whiteouts.has(path),
    isOpaque: (path) => named().opaques.has(path),
    namesIn: (folder) => named().folders.get(folder) ?? [],
  };
}
