/**
 * The room of merged trees: what a stack of layers shows together, from their indexes alone. Builds call it to
 * resolve the paths of COPY without a mount, and the snapshotter to apply and read layers. It reads no content, opens
 * no file, and needs no layer to be unpacked.
 *
 *     const tree = mergeIndexes([base, upper]);
 *     const entry = tree.lookup('usr/bin/node', { followLast: true });
 *     for (const each of tree.children('etc')) names.push(each.path);
 */

import { OcitsError } from '../../errors.ts';
import { joinPath, parentPath, showPath } from '../byte-path.ts';
import type { LayerIndex } from '../index/layer-index.ts';
import type { BytePath, LayerEntry } from '../layer-change.ts';
import { createNodeFinder, linkedEntry, type Node, type NodeFinder } from './merged-node.ts';

/** An entry as the whole stack shows it. */
export interface MergedEntry {
  /** Where it is, with no symlink on the way (nor at the end, where that was followed). */
  readonly path: BytePath;
  /**
   * Never a hard link: that is the file it names, with that one's path. Undefined for a folder that no layer lists, but
   * that is there because something lies below it (mode 0755, owner 0).
   */
  readonly entry: LayerEntry | undefined;
  /** The layer that has the entry (and a file's data), as a position in the stack from the lowest, 0. */
  readonly layer: number;
}

/** What a stack of layers shows together: whiteouts, opaque folders and changes of type obeyed. */
export interface MergedTree {
  /**
   * Follows symlinks on the way inside the root, at most 40, and at the end too where `followLast` (the default).
   * Undefined: there is none. Throws `hostile` on too many symlinks.
   */
  lookup(path: BytePath, options?: { readonly followLast?: boolean | undefined }): MergedEntry | undefined;
  /**
   * Where `path` is once the symlinks on the way to its parent are followed; parts that are not there stay as they
   * are. For what is about to be created. Throws as `lookup`.
   */
  resolve(path: BytePath): BytePath;
  /** What is in the folder at `path` (no symlink is followed), sorted by bytes; nothing where that is no folder. */
  children(path: BytePath): MergedEntry[];
  /** All that is below `path`, parents before children, sorted by name in each folder; not `path` itself. */
  walk(path?: BytePath): Iterable<MergedEntry>;
}

const MAX_SYMLINKS = 40;

/** `indexes`: lowest layer first. Cheap: what is needed is looked up when it is asked for, and kept. */
export function mergeIndexes(indexes: readonly LayerIndex[]): MergedTree {
  const finder = createNodeFinder(indexes);
  const merged = (node: Node): MergedEntry | undefined => toMerged(indexes, node);
  const children = (path: BytePath) => finder.children(path).flatMap((node) => merged(node) ?? []);
  function* walk(path: BytePath): Generator<MergedEntry, void, undefined> {
    for (const node of finder.children(path)) {
      const entry = merged(node);
      if (entry !== undefined) yield entry;
      if (node.isFolder) yield* walk(node.path);
    }
  }
  return {
    lookup(path, { followLast = true } = {}) {
      const real = follow(indexes, finder, path, followLast);
      const node = finder.find(real);
      return node === undefined ? undefined : merged(node);
    },
    resolve: (path) => follow(indexes, finder, path, false),
    children,
    walk: (path = '') => walk(path),
  };
}

function toMerged(indexes: readonly LayerIndex[], node: Node): MergedEntry | undefined {
  const { path, layer, position } = node;
  if (position < 0) return { path, entry: undefined, layer };
  const entry = indexes[layer]!.at(position) as LayerEntry;
  if (entry.type !== 'hardlink') return { path, entry, layer };
  const file = linkedEntry(indexes, layer, entry);
  return file === undefined ? undefined : { path, ...file };
}

/** The path with its symlinks followed, with the last one where `followLast`. */
function follow(
  indexes: readonly LayerIndex[],
  finder: NodeFinder,
  path: BytePath,
  followLast: boolean,
): BytePath {
  const rest = path.split('/').reverse();
  let real = '';
  let symlinks = 0;
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      real = parentPath(real);
      continue;
    }
    const next = joinPath(real, part);
    const target = rest.length > 0 || followLast ? targetOf(indexes, finder.find(next)) : undefined;
    if (target === undefined) {
      real = next;
      continue;
    }
    symlinks++;
    if (symlinks > MAX_SYMLINKS) {
      throw new OcitsError('hostile', `${showPath(path)} goes through more than ${MAX_SYMLINKS} symlinks`);
    }
    if (target.startsWith('/')) real = '';
    rest.push(...target.split('/').reverse());
  }
  return real;
}

function targetOf(indexes: readonly LayerIndex[], node: Node | undefined): string | undefined {
  if (node === undefined || node.position < 0) return undefined;
  const index = indexes[node.layer]!;
  if (index.typeAt(node.position) !== 'symlink') return undefined;
  const entry = index.at(node.position);
  return entry.type === 'symlink' ? entry.target : undefined;
}
