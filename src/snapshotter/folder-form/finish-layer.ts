import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BytePath, EntryMetadata } from '../../layer/layer-change.ts';
import { nativePath } from '../../system/file/byte-name.ts';
import type { NodeToMake } from '../../system/file/node-archive.ts';
import { removeTrees } from '../../system/file/remove-tree.ts';
import { copyTimes, makeNodes, setXattrs } from '../../system/file/special-files.ts';
import type { FileXattrs } from '../../system/file/xattr-dump.ts';
import type { LayerFolder } from './layer-folder.ts';
import { type FolderNode, type LayerTree, type LeafNode, walkUp } from './layer-tree.ts';
import { linkWhiteout } from './whiteout-device.ts';

/** What the last steps of a layer need. */
export interface FinishParts {
  readonly tree: LayerTree;
  readonly folder: LayerFolder;
  /** The layer's folder, and one beside it for what is needed in between; that one does not exist yet. */
  readonly root: string;
  readonly scratch: string;
  /** The device of which whiteouts are hard links. */
  readonly whiteoutDevice: string;
  readonly opaqueXattr: string;
  readonly onWarning: (kind: string, path: BytePath) => void;
}

/** What is left when all entries of a layer are there. Most layers have whiteouts and folders alone. */
interface Leftovers {
  /** Deepest first. */
  readonly folders: FolderNode[];
  readonly whiteouts: BytePath[];
  readonly nodes: NodeToMake[];
  readonly exactFiles: NodeToMake[];
  readonly exactFolders: NodeToMake[];
  readonly xattrs: FileXattrs[];
}

/**
 * Makes what Node cannot, in one batch, and what must come last: whiteouts, devices, exact times, attributes (a change
 * of owner would drop capabilities), then the folders' owners, modes and times, deepest first. Gives the opaque folders.
 */
export async function finishLayer(parts: FinishParts): Promise<BytePath[]> {
  const left = gather(parts);
  for (const path of left.whiteouts) await linkWhiteout(parts.whiteoutDevice, parts.folder.native(path));
  await copyExactTimes(left.exactFiles, parts);
  for (const folder of left.folders) parts.folder.finishFolder(folder);
  if (left.nodes.length > 0) await makeNodes(parts.root, left.nodes);
  if (left.xattrs.length > 0) {
    for (const line of await setXattrs(parts.root, left.xattrs)) {
      parts.onWarning('an extended attribute was refused by the file system', line);
    }
  }
  if (left.nodes.length > 0) for (const folder of left.folders) parts.folder.finishFolder(folder);
  if (left.exactFolders.length > 0) await makeNodes(parts.root, left.exactFolders);
  return left.folders.filter((folder) => folder.isOpaque).map((folder) => folder.path);
}

function gather({ tree, opaqueXattr }: FinishParts): Leftovers {
  const left: Leftovers = {
    folders: [],
    whiteouts: [],
    nodes: [],
    exactFiles: [],
    exactFolders: [],
    xattrs: [],
  };
  const firstPaths = new Map<LeafNode, BytePath>();
  for (const [path, node] of walkUp(tree.root)) {
    if (node.type === 'folder') gatherFolder(node, opaqueXattr, left);
    else if (node.type === 'whiteout') left.whiteouts.push(path);
    else if (node.entry !== undefined) gatherLeaf(path, node, firstPaths, left);
  }
  return left;
}

function gatherFolder(folder: FolderNode, opaqueXattr: string, left: Leftovers): void {
  const { path, metadata, isOpaque } = folder;
  left.folders.push(folder);
  if (metadata.mtime.nanoseconds !== 0)
    left.exactFolders.push({ ...metadataOf(metadata), path: path || '.', type: 'directory' });
  const xattrs = new Map(metadata.xattrs);
  if (isOpaque) xattrs.set(opaqueXattr, Buffer.from('y'));
  if (xattrs.size > 0) left.xattrs.push({ path, xattrs });
}

function gatherLeaf(
  path: BytePath,
  node: LeafNode,
  firstPaths: Map<LeafNode, BytePath>,
  left: Leftovers,
): void {
  const entry = node.entry!;
  const firstPath = firstPaths.get(node);
  if (firstPath !== undefined) {
    if (!node.isMade) left.nodes.push({ ...metadataOf(entry), path, type: 'hardlink', target: firstPath });
    return;
  }
  firstPaths.set(node, path);
  if (entry.xattrs !== undefined) left.xattrs.push({ path, xattrs: entry.xattrs });
  const common = { ...metadataOf(entry), path };
  if (entry.type === 'file') {
    if (entry.mtime.nanoseconds !== 0) left.exactFiles.push({ ...common, type: 'file' });
  } else if (!node.isMade && entry.type === 'symlink') {
    left.nodes.push({ ...common, type: 'symlink', target: entry.target });
  } else if (entry.type === 'char' || entry.type === 'block') {
    left.nodes.push({ ...common, type: entry.type, major: entry.major, minor: entry.minor });
  } else if (entry.type === 'fifo') {
    left.nodes.push({ ...common, type: 'fifo' });
  }
}

function metadataOf({
  mode,
  uid,
  gid,
  mtime,
}: Omit<EntryMetadata, 'path'>): Omit<NodeToMake, 'path' | 'type'> {
  return { mode, uid, gid, mtime };
}

/** By a tree of empty files, whose times are then copied: `tar` can set a time only on what it makes itself. */
async function copyExactTimes(files: readonly NodeToMake[], { root, scratch }: FinishParts): Promise<void> {
  if (files.length === 0) return;
  const prefix = Buffer.from(scratch).toString('latin1');
  mkdirSync(scratch, 0o700);
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) {
    mkdirSync(nativePath(join(prefix, folder)), { recursive: true, mode: 0o700 });
  }
  await makeNodes(scratch, files);
  await copyTimes(scratch, root);
  await removeTrees([scratch]);
}
